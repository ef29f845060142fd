//! A bug around a handler: it changes how messages are handled, and passes all else on.

use oms_core::{
    id::{Name, StreamId},
    message::Message,
    service::{Entry, Fault, Handler, Loaded, Outcome, State},
    store::Event,
};
use std::sync::Arc;

/// How a message is handled wrongly.
pub(super) type Handles = fn(&dyn Handler, &Message, &Loaded) -> Result<Outcome, Fault>;

/// A handler with a bug around it.
pub(super) struct Around {
    pub(super) inside: Arc<dyn Handler>,
    pub(super) handles: Handles,
}

impl Handler for Around {
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
        (self.handles)(self.inside.as_ref(), message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, stream: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        self.inside.evolve(stream, now, event)
    }
}
