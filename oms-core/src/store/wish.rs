//! A wish on its way to its last answer: claimed, answered, let go of until there may be news (rule 18).

use super::Lease;
use crate::{
    gateway::{Effect, EffectKey},
    id::MessageId,
    message::GroupLane,
};
use std::time::Duration;

/// A wish that a process may call now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The wish.
    pub effect: Effect,
    /// The lane its answers go to.
    pub lane: GroupLane,
    /// Whether the gateway may have been told before: ask first.
    pub maybe_told: bool,
    /// The answer its handler heard last, as far as the store was told: an equal one is not news.
    pub heard: Option<MessageId>,
    /// Calls since then, as far as the store was told.
    pub calls: u32,
}

/// What a claim gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The wishes, in the order in which they were due.
    pub doings: Vec<Doing>,
    /// How long until the next of these lanes is due, if any is known; zero when it is due already.
    pub next: Option<Duration>,
}

/// What becomes of a wish after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing more will come: the wish goes.
    Gone,
    /// Whoever claimed it asks again soon.
    Kept,
    /// Nobody holds it any more: it may be claimed again after this time.
    LetGo {
        /// How long.
        again: Duration,
        /// The answer: a claim gives it as what was heard last.
        heard: MessageId,
    },
}

/// A claimed wish that its process lets go of without news for its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postponed {
    /// Under which it was claimed.
    pub lease: Lease,
    /// The wish.
    pub effect: EffectKey,
    /// After what time it may be claimed again.
    pub again: Duration,
    /// The answer its handler heard last, in a commit that is durable; `None` leaves what the store knows.
    pub heard: Option<MessageId>,
    /// Calls since then.
    pub calls: u32,
}
