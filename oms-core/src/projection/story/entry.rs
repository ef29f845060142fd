//! The lines of a story: what happened, and what is still running.

use crate::{
    clock::Timestamp,
    id::{MessageId, Name},
};
use serde::Serialize;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When the turn that recorded it read the store's clock.
    pub time: Timestamp,
    /// Which service recorded it.
    pub service: Name,
    /// The event's wire name.
    pub kind: Name,
    /// What happened, in words.
    pub words: String,
    /// The message that caused it.
    pub cause: MessageId,
    /// The entry whose turn sent that message, by its place in the story; `None` for what came from outside: a request, a
    /// gateway's answer, a deadline.
    pub because: Option<usize>,
}

/// Something that is still running, as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Whose it is.
    pub service: Name,
    /// What it is, in words.
    pub words: String,
}
