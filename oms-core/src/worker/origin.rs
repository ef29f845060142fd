//! Where a message came from.

use crate::{gateway::EffectKey, id::StreamId, message::PackId, store::Then};

/// Where a message came from decides what its turn's commit consumes (rule 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Owed { pack: PackId, index: u16 },
    Released { seq: u64 },
    Redriven { number: u64 },
    Due { stream: StreamId, set_at: u64, firing: u64 },
    Answered { effect: EffectKey, then: Then },
    Request,
}
