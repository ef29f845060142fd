//! The contract of a handler: a plain function from a message and the loaded streams to what happens.

use super::{Entry, Fault, Loaded, State};
use crate::{
    gateway::{Effect, EffectKey},
    id::Name,
    message::{Key, Message},
    store::{Event, StreamId},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// Events for one stream of the handler's own kinds.
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// What happened, at least one event.
    pub events: Vec<Event>,
    /// The state after them, if the handler has it in hand; the worker folds otherwise. Both must agree.
    pub next: Option<Arc<dyn State>>,
}

/// A message to send. It has no id: the worker mints H(group, cause, index), so a handler cannot get it wrong (rule 5).
/// One that no group hears is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: Name,
    /// What it is ordered by.
    pub key: Key,
    /// Its wire name.
    pub kind: Name,
    /// The version of its body.
    pub schema: u16,
    /// Its body; JSON.
    pub body: Bytes,
}

/// When to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueIn {
    /// After how long.
    pub delay: Duration,
    /// Not before this message, by its place in [`Reaction::outgoing`], was heard by this group (rule 3).
    pub waits_for: Option<(usize, Name)>,
}

/// What a message causes; all of it is committed at once, or nothing.
#[derive(Default)]
pub struct Reaction {
    /// Events, at most one `Append` for each stream.
    pub appends: Vec<Append>,
    /// Messages.
    pub outgoing: Vec<Outgoing>,
    /// Deadlines set (`Some`) or cleared (`None`), only of streams in `appends`.
    pub deadlines: Vec<(StreamId, Option<DueIn>)>,
    /// Wishes to the outside world. One whose key was wished before is not wished again.
    pub effects: Vec<Effect>,
    /// Wishes taken back, only those in [`crate::store::Stream::unclaimed`] of a loaded stream.
    pub withdrawn: Vec<EffectKey>,
    /// What a request from outside is answered.
    pub reply: Option<Bytes>,
}

/// What a handler says to a message.
pub enum Outcome {
    /// Handled.
    Reaction(Reaction),
    /// These streams are needed too (an earlier message of the batch changed what is needed): the batch is cut here, and
    /// the message comes again with them; three times in a row is permanent (rule 15).
    Missing(Vec<StreamId>),
    /// Not handled.
    Fault(Fault),
}

/// A service, or a user's own hearer: pure, without clock, chance or I/O.
///
/// A handler never faults because something has not arrived yet: it remembers what it heard and waits (rule 16). A
/// message handled twice changes nothing the second time (rule 17). It appends only to the kinds it owns (rule 14).
pub trait Handler: Send + Sync {
    /// The group it hears in; unique in an installation, at most 64 bytes, without `/`.
    fn group(&self) -> Name;

    /// The topics it hears.
    fn hears(&self) -> Vec<Name>;

    /// The kinds of streams it may append to.
    fn owns(&self) -> Vec<Name>;

    /// The streams that a message needs. Asked before anything is loaded, and again with the keyed streams in hand, so that
    /// shared ones can be named by what those say. May name streams of other services, to read.
    fn streams(&self, message: &Message, known: &Loaded) -> Vec<StreamId>;

    /// Handles one message over the loaded streams.
    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome;

    /// One step of the fold: turn, replay and time travel all use it.
    ///
    /// # Errors
    /// [`Fault::Newer`] or [`Fault::Permanent`] when the event or the state cannot be read.
    fn evolve(&self, stream: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault>;
}
