//! Streams: an aggregate's events, its present state, and the deadline that watches it.

use crate::{
    gateway::EffectKey,
    id::{Name, StreamId},
    message::PackId,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The longest kind of a stream, in bytes.
pub const MAX_KIND_BYTES: usize = 32;

/// Something that happened, as it is recorded for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its wire name.
    pub kind: Name,
    /// The version of its shape.
    pub schema: u16,
    /// What happened; JSON.
    pub body: Bytes,
}

/// A message of the same turn that a deadline waits for, and who must have heard it (rule 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitsFor {
    /// The pack it left in.
    pub pack: PackId,
    /// Its place in the pack.
    pub index: u16,
    /// The group that must hear it.
    pub group: Name,
}

/// When a stream wants to be woken, kept on its newest row. One per stream, set or cleared as a whole.
///
/// Looked at first after `delay`. While `waits_for` is owed to its group (parked included, buried not), or anything of the
/// stream's key is owed to its own, a look puts it off by `delay`; so does the first look that finds `waits_for` heard, for
/// the clock starts there (rule 3). Without `waits_for` the clock starts when the deadline is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The version of the stream that set it; tells one deadline from the next.
    pub set_at: u64,
    /// How long to wait.
    pub delay: Duration,
    /// What must have been heard first.
    pub waits_for: Option<WaitsFor>,
    /// The key that the firing is ordered by; its lane is the firing's.
    pub key: Name,
    /// The group that hears the firing: the owner of the stream, whoever wrote this row (an order's first row is written
    /// by the lanes of `place`).
    pub group: Name,
}

/// A stream as a turn sees it: loading costs the same however long its history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// How many events it has; 0 means that it was never written.
    pub version: u64,
    /// The version of the state's shape.
    pub schema: u16,
    /// The state after the last event; `None` exactly when `version` is 0.
    pub state: Option<Bytes>,
    /// What never changes after it was first given (an order's lines): stored once, not with each row.
    pub fixed: Option<Bytes>,
    /// When it wants to be woken.
    pub deadline: Option<Deadline>,
    /// Its effects that no one has claimed yet, frozen by the lane's lock: an undo may withdraw them (rule 18).
    pub unclaimed: Vec<EffectKey>,
}

/// The streams that a turn has in hand.
pub type Streams = BTreeMap<StreamId, Stream>;
