//! The names of streams, in the order in which they are locked.

use super::Name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a stream is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rank {
    /// Keyed as its messages are: the lane's lock covers it.
    Keyed,
    /// Met from many lanes (a SKU): locked by itself, last, in sorted order (rule 14).
    Shared,
}

/// Names a stream: an aggregate of one service. The derived order is the global lock order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// How it is protected.
    pub rank: Rank,
    /// What it is, such as `order` or `stock`; belongs to one service.
    pub kind: Name,
    /// Which one.
    pub id: Name,
}

impl StreamId {
    /// Names a stream that lies under its lane's lock.
    #[must_use]
    pub fn keyed(kind: &str, id: &str) -> Self {
        Self::named(Rank::Keyed, kind, &Name::from(id))
    }

    /// Names a stream that is locked by itself.
    #[must_use]
    pub fn shared(kind: &str, id: &str) -> Self {
        Self::named(Rank::Shared, kind, &Name::from(id))
    }

    /// Names a stream by a name in hand, which is not copied.
    #[must_use]
    pub fn named(rank: Rank, kind: &str, id: &Name) -> Self {
        Self { rank, kind: Name::from(kind), id: Name::clone(id) }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.kind, self.id)
    }
}
