//! A watch on every handler: what it handled goes into the book, and now and then it must handle it twice.

use crate::{check::Call, executor::current_task, mark::Mark, world::World};
use oms_core::{
    id::{Name, StreamId},
    message::Message,
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
        if envelope.id.0.is_multiple_of(TWICE) {
            self.again(message, loaded, reaction);
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
        for append in &reaction.appends {
            let (Some(next), Some(entry)) = (&append.next, after.0.get_mut(&append.stream)) else { return };
            let version = entry.stream.version + append.events.len() as u64;
            entry.advance(version, Arc::clone(next));
        }
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
