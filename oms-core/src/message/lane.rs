//! Lanes: which row a key stands in, the same on every broker and in every release.

use crate::id::Name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest number of lanes a group may have.
pub const MAX_LANES: u16 = 4_096;

/// Hashes a key: FNV-1a, 32 bits, mixed once more so that the low bits are good; fixed for ever.
///
/// Rows store this hash, so another function would need a planned change (rule 22).
///
/// ```
/// use oms_core::message::{key_hash, lane_of};
/// assert_eq!(key_hash(""), 0x5db4_a501);
/// assert!(lane_of(key_hash("order-1"), 16) < 16);
/// ```
#[must_use]
pub fn key_hash(text: &str) -> u32 {
    let fnv =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mixed = (fnv ^ (fnv >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed ^ (mixed >> 13)
}

/// The lane of a key's hash among `lanes` (at least one).
#[must_use]
pub fn lane_of(hash: u32, lanes: u16) -> u16 {
    u16::try_from(hash % u32::from(lanes.max(1))).unwrap_or(0)
}

/// What a message is ordered by: the order's id, or the SKU for stock adjustments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: Name,
    hash: u32,
}

impl Key {
    /// Makes a key of its text.
    #[must_use]
    pub fn new(text: Name) -> Self {
        let hash = key_hash(&text);
        Self { text, hash }
    }

    /// Shows the text.
    #[must_use]
    pub fn text(&self) -> &Name {
        &self.text
    }

    /// Shows the hash that rows store.
    #[must_use]
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// The lane of this key among `lanes`.
    #[must_use]
    pub fn lane(&self, lanes: u16) -> u16 {
        lane_of(self.hash, lanes)
    }
}

/// One lane of one group: what a lease is for, what a turn locks, where a sender's positions count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupLane {
    /// The group's name.
    pub group: Name,
    /// The lane's number, from zero.
    pub lane: u16,
}

impl GroupLane {
    /// Names a lane.
    #[must_use]
    pub fn new(group: &str, lane: u16) -> Self {
        Self { group: Name::from(group), lane }
    }
}

impl fmt::Display for GroupLane {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.group, self.lane)
    }
}
