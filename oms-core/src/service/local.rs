//! Messages that never travel: a deadline that was reached, and the answer of a gateway.

use crate::{gateway::EffectKey, id::Name, store::StreamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The kind of the message that a handler hears when a deadline of one of its streams is reached.
pub const DEADLINE_REACHED: &str = "DeadlineReached";

/// The kind of the message that a handler hears when a gateway answered one of its wishes.
pub const EFFECT_ANSWERED: &str = "EffectAnswered";

/// The body of [`DEADLINE_REACHED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineReached {
    /// Whose deadline.
    pub stream: StreamId,
}

/// The body of [`EFFECT_ANSWERED`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EffectAnswered {
    /// Which wish.
    pub effect: EffectKey,
    /// Whose.
    pub stream: StreamId,
    /// Which gateway.
    pub gateway: Name,
    /// What it said; the gateway's own JSON.
    pub answer: Box<RawValue>,
    /// Whether nothing more will come.
    pub settled: bool,
    /// How many calls it took.
    pub calls: u32,
}
