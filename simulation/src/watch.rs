//! A watch on every handler: what it handled goes into the book, and now and then it must handle it twice.

use crate::{deliveries::Call, executor::current_task, mark::Mark, world::World};
use bytes::Bytes;
use oms_core::{
    event::{
        Wire,
        inventory::{InventoryCommand, Reservation},
        payment::{PaymentCommand, PaymentOf},
        shipping::{ShipmentOf, ShippingCommand},
        topic,
    },
    id::{Name, StreamId},
    message::{Envelope, Message},
    service::{Entry, Fault, Handler, Loaded, Outcome, Reaction, State},
    store::Event,
};
use std::sync::Arc;

/// Handles one message in so many twice (rule 17).
const TWICE: u128 = 16;

/// Stands around a handler.
pub(crate) struct Watched {
    pub(crate) inside: Arc<dyn Handler>,
    pub(crate) world: Arc<World>,
}

impl Watched {
    fn note(&self, message: &Message, loaded: &Loaded, reaction: &Reaction) {
        let envelope = &message.envelope;
        let events = reaction.appends.iter().map(|append| append.events.len()).sum();
        let lane = envelope.key.lane(self.world.plan.options.lanes);
        let call = Call { message: envelope.id, events };
        self.world.book().call(current_task(), lane, call);
        self.world.trace.say(|| {
            let kinds = reaction.appends.iter().flat_map(|append| &append.events).map(|event| &*event.kind);
            let kinds: Vec<&str> = kinds.collect();
            format!(
                "  {} handles {} {} of {}: {kinds:?}",
                self.inside.group(),
                envelope.kind,
                envelope.id,
                envelope.key.text()
            )
        });
        match envelope.id.0 % TWICE {
            0 => self.again(message, loaded, reaction),
            1 => self.overtaken(message, loaded),
            _ => {}
        }
    }

    /// Asked for after its undo, which two senders may cause, a step does nothing: the undo has left a mark (rule 16).
    fn overtaken(&self, message: &Message, loaded: &Loaded) {
        let fresh = |stream: &StreamId| loaded.get(stream).is_some_and(|entry| entry.stream.version == 0);
        let Some(undo) =
            undo_of(message).filter(|_| self.inside.streams(message, loaded).first().is_some_and(fresh))
        else {
            return;
        };
        let mut after = loaded.clone();
        let Outcome::Reaction(undone) = self.inside.handle(&undo, &after) else { return };
        advance(&mut after, &undone);
        let Outcome::Reaction(done) = self.inside.handle(message, &after) else { return };
        if !done.effects.is_empty() || !done.appends.is_empty() {
            let (group, kind) = (self.inside.group(), &message.envelope.kind);
            self.world.wrong(format!("{group} did {kind} after its undo had come: it had left no mark"));
        }
    }

    /// Handled over what it has just caused, a message changes nothing more.
    fn again(&self, message: &Message, loaded: &Loaded, reaction: &Reaction) {
        let mut after = Loaded::default();
        for stream in self.inside.streams(message, loaded) {
            if let Some(entry) = loaded.get(&stream) {
                after.0.insert(stream, entry.clone());
            }
        }
        advance(&mut after, reaction);
        let Outcome::Reaction(second) = self.inside.handle(message, &after) else { return };
        let kinds = second.appends.iter().flat_map(|append| &append.events).map(|event| &*event.kind);
        let kinds: Vec<&str> = kinds.collect();
        if kinds.is_empty() {
            self.world.mark(Mark::HandledTwice);
        } else {
            let (group, kind) = (self.inside.group(), &message.envelope.kind);
            self.world.wrong(format!("{group} handled {kind} twice, and the second time changed {kinds:?}"));
        }
    }
}

/// Lets loaded streams be as they are after a reaction.
fn advance(loaded: &mut Loaded, reaction: &Reaction) {
    for append in &reaction.appends {
        let (Some(next), Some(entry)) = (&append.next, loaded.0.get_mut(&append.stream)) else { continue };
        let version = entry.stream.version + append.events.len() as u64;
        entry.advance(version, Arc::clone(next));
    }
}

/// What undoes a step that a message asks for.
fn undo_of(message: &Message) -> Option<Message> {
    let Envelope { kind, schema, topic, .. } = &message.envelope;
    let body = &message.body;
    let (kind, body) = match &**topic {
        topic::INVENTORY_COMMANDS => match InventoryCommand::decode(kind, *schema, body).ok()? {
            InventoryCommand::ReserveStock(wish) => {
                let of = Reservation { order: wish.order, fields: wish.fields };
                written(&InventoryCommand::ReleaseStock(of))
            }
            _ => None,
        },
        topic::PAYMENT_COMMANDS => match PaymentCommand::decode(kind, *schema, body).ok()? {
            PaymentCommand::RequestPayment(wish) => {
                let of = PaymentOf { order: wish.order, fields: wish.fields };
                written(&PaymentCommand::CancelPayment(of))
            }
            _ => None,
        },
        topic::SHIPPING_COMMANDS => match ShippingCommand::decode(kind, *schema, body).ok()? {
            ShippingCommand::ArrangeShipment(wish) => {
                let of = ShipmentOf { order: wish.order, fields: wish.fields };
                written(&ShippingCommand::CancelShipment(of))
            }
            _ => None,
        },
        _ => None,
    }?;
    Some(Message { envelope: Envelope { kind, ..message.envelope.clone() }, body })
}

fn written<W: Wire>(command: &W) -> Option<(Name, Bytes)> {
    Some((Name::from(command.kind()), command.encode().ok()?))
}

impl Handler for Watched {
    fn group(&self) -> Name {
        self.inside.group()
    }

    fn hears(&self) -> Vec<Name> {
        self.inside.hears()
    }

    fn owns(&self) -> Vec<Name> {
        self.inside.owns()
    }

    fn streams(&self, message: &Message, known: &Loaded) -> Vec<StreamId> {
        self.inside.streams(message, known)
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        let outcome = self.inside.handle(message, loaded);
        if let Outcome::Reaction(reaction) = &outcome {
            self.note(message, loaded, reaction);
        }
        outcome
    }

    fn evolve(&self, stream: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        self.inside.evolve(stream, now, event)
    }
}
