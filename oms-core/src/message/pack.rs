//! Packs: the messages of one turn for one topic and lane travel, and are owed, together.

use super::GroupLane;
use crate::id::Name;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How much one batch may hold (rule 21). A batch always holds at least one message, however large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Messages.
    pub messages: usize,
    /// Bytes of their packs.
    pub bytes: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self { messages: 100, bytes: 1 << 20 }
    }
}

/// Names a pack: its sender's lane, and its position there, taken under that lane's lock (rule 11).
///
/// Written `group/lane/position` on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackId {
    /// Who sent it.
    pub sender: GroupLane,
    /// Grows with every pack of that sender's lane; gaps mean nothing.
    pub position: u64,
}

impl fmt::Display for PackId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.sender, self.position)
    }
}

/// The text names no pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no pack id; it reads group/lane/position")]
pub struct NoPackId(String);

impl FromStr for PackId {
    type Err = NoPackId;

    fn from_str(text: &str) -> Result<Self, NoPackId> {
        let bad = || NoPackId(text.to_owned());
        let (rest, position) = text.rsplit_once('/').ok_or_else(bad)?;
        let (group, lane) = rest.rsplit_once('/').ok_or_else(bad)?;
        let lane = lane.parse().map_err(|_| bad())?;
        let position = position.parse().map_err(|_| bad())?;
        Ok(Self { sender: GroupLane::new(group, lane), position })
    }
}

/// One pack on its way: 1..N encoded messages of one sender's lane for one topic and lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name.
    pub id: PackId,
    /// Where it goes.
    pub topic: Name,
    /// The lane of its keys; the same number in every hearing group.
    pub lane: u16,
    /// The hash of each message's key, in order; its length is the number of messages.
    pub keys: Vec<u32>,
    /// What the codec made of the messages, the pack's id inside.
    pub bytes: Bytes,
}
