//! A batch: what one turn is made of.

use super::{desk::InHand, origin::Origin};
use crate::{
    message::{Limit, Message, PackId},
    store::Local,
};
use bytes::Bytes;
use std::time::Duration;

/// A pack that a broker brought, decoded.
pub(super) struct Delivered {
    pub(super) pack: PackId,
    /// As it was brought, to be compared with what is owed.
    pub(super) bytes: Bytes,
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
