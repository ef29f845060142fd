//! A user's own hearer, which fails, cannot handle, misses streams or meets newer messages, as the seed says.

use crate::{fault::Fault as Trouble, groups::HEARER, lock::locked, mark::Mark, world::World};
use oms_core::{
    event::topic,
    id::{Digest, MessageId, Name, StreamId},
    message::Message,
    service::{Aggregate, Entry, Fault, Handler, Loaded, Outcome, Outgoing, Reaction, State, append},
    store::{Event, Writes},
    wire_enum,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the first of them says, and hears itself.
const SAID: &str = "hearer.said";

wire_enum! {
    /// What a hearer records.
    pub(crate) enum HearerEvent, schema 1 {
        /// It heard a message.
        Heard(MessageId) = "Heard",
    }
}

/// How much one hearer heard of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    count: u64,
    last: Option<MessageId>,
}

impl Aggregate for Heard {
    const SCHEMA: u16 = 1;
    type Event = HearerEvent;

    fn evolve(&mut self, event: &HearerEvent) {
        let HearerEvent::Heard(message) = event;
        self.count += 1;
        self.last = Some(*message);
    }
}

/// Hears what customers are told.
pub(crate) struct Hearer {
    pub(crate) world: Arc<World>,
    pub(crate) group: &'static str,
}

/// Whether a message is one of those that a kind of trouble is for: always the same ones.
fn chosen(world: &World, trouble: Trouble, message: MessageId) -> bool {
    let rate = world.plan.rates.of(trouble);
    let draw = || Digest::new(trouble.name()).number(message.0).finish() % 1_000;
    rate > 0 && draw() < u128::from(rate)
}

/// Whether the store never takes these rows: something that a hearer writes of a chosen message.
pub(crate) fn refused(world: &World, writes: &Writes) -> bool {
    let mut heard = writes.streams.iter().filter(|write| &*write.stream.kind == HEARER);
    heard.any(|write| write.causes.iter().any(|cause| chosen(world, Trouble::StoreRefuses, *cause)))
}

impl Hearer {
    fn fault(&self, message: &Message) -> Option<Fault> {
        let (world, id) = (&self.world, message.envelope.id);
        if chosen(world, Trouble::Poison, id) {
            world.note(Trouble::Poison);
            return Some(Fault::Permanent("it is poison".to_owned()));
        }
        if chosen(world, Trouble::Newer, id) && !world.is_calm() {
            world.note(Trouble::Newer);
            world.mark(Mark::NewerWaited);
            return Some(Fault::Newer("a message of the next release".to_owned()));
        }
        if !chosen(world, Trouble::HearerFails, id) {
            return None;
        }
        let mut failures = locked(&world.failures);
        let failed = failures.entry((self.group, id)).or_default();
        // Some fail more often than anybody tries.
        let most = u32::try_from(id.0 % 6).unwrap_or(0);
        if *failed < most {
            *failed += 1;
            world.note(Trouble::HearerFails);
            return Some(Fault::Failed("not now".to_owned()));
        }
        if *failed > 0 {
            world.mark(Mark::TriedAgain);
        }
        None
    }

    fn hear(&self, message: &Message, loaded: &Loaded) -> Result<Reaction, Fault> {
        let stream = self.stream(message);
        let now = loaded.state::<Heard>(&stream)?.cloned().unwrap_or_default();
        if now.last == Some(message.envelope.id) {
            return Ok(Reaction::default());
        }
        let append = append(stream, &now, vec![HearerEvent::Heard(message.envelope.id)])?;
        let outgoing = self.says(message).into_iter().collect();
        Ok(Reaction { appends: vec![append], outgoing, ..Reaction::default() })
    }

    /// It speaks of parcels that have left, as the order service does.
    fn says(&self, message: &Message) -> Option<Outgoing> {
        let envelope = &message.envelope;
        let said = self.group == HEARER && &*envelope.kind == "ShipmentDispatched";
        said.then(|| Outgoing {
            topic: Name::from(SAID),
            key: envelope.key.clone(),
            kind: Name::from("Said"),
            schema: 1,
            body: "{}".into(),
        })
    }

    fn stream(&self, message: &Message) -> StreamId {
        StreamId::keyed(self.group, message.envelope.key.text())
    }
}

impl Handler for Hearer {
    fn group(&self) -> Name {
        Name::from(self.group)
    }

    fn hears(&self) -> Vec<Name> {
        let topics: &[&str] = if self.group == HEARER {
            &[
                "order.placed",
                "order.completed",
                "order.failed",
                "order.cancelled",
                topic::SHIPPING_EVENTS,
                SAID,
            ]
        } else {
            &["order.shipped", topic::PAYMENT_EVENTS]
        };
        topics.iter().map(|topic| Name::from(*topic)).collect()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(self.group)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![self.stream(message)]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        let missed = StreamId::shared("stock", "A");
        if chosen(&self.world, Trouble::Missing, message.envelope.id) {
            if loaded.get(&missed).is_none() {
                self.world.note(Trouble::Missing);
                return Outcome::Missing(vec![missed]);
            }
            self.world.mark(Mark::MissingGiven);
        }
        if let Some(fault) = self.fault(message) {
            return Outcome::Fault(fault);
        }
        self.hear(message, loaded).map_or_else(Outcome::Fault, Outcome::Reaction)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Heard>(event)
    }
}
