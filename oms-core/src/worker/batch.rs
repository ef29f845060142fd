//! A batch: what one turn is made of.

use super::desk::InHand;
use crate::{
    gateway::EffectKey,
    id::StreamId,
    message::{Limit, Message, PackId},
    store::Local,
};
use std::time::Duration;

/// Where a message came from decides what its turn's commit consumes (rule 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Owed { pack: PackId, index: u16 },
    Released { seq: u64 },
    Redriven { number: u64 },
    Due { stream: StreamId, set_at: u64, firing: u64 },
    Answered { effect: EffectKey, settled: bool },
    Request,
}

/// A pack that a broker brought, decoded.
pub(super) struct Delivered {
    pub(super) pack: PackId,
    pub(super) messages: Vec<Message>,
}

/// What a turn is made of.
#[derive(Default)]
pub(super) struct Batch<'a> {
    pub(super) delivered: Vec<&'a Delivered>,
    pub(super) local: Vec<Local>,
    pub(super) answers: Vec<InHand>,
    pub(super) requests: Vec<Message>,
    pub(super) overdue: Option<Duration>,
    pub(super) limit: Limit,
    /// This work is buried with this error, if it is still there: the store refuses what it causes, alone (rule 20).
    pub(super) condemned: Option<(Origin, String)>,
}
