//! A lane's desk: its lease, and the local work that other loops lay there.

use super::{bell::Bell, vital::Vital};
use crate::{
    gateway::{Answer, Effect, EffectKey},
    id::MessageId,
    message::GroupLane,
    store::{Lease, Local},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A gateway's answer in hand: never dropped until its turn has committed (rule 8).
#[derive(Clone, Debug)]
pub(super) struct InHand {
    pub(super) effect: Effect,
    pub(super) answer: Answer,
    /// What the answer is called as a message.
    pub(super) id: MessageId,
    pub(super) calls: u32,
    /// Whether the door holds the wish and asks again; otherwise the commit lets go of it.
    pub(super) kept: bool,
}

/// What lies on a desk. It stays there until it is done, so that a loop that is dropped half-way loses nothing (rule 19).
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    pub(super) local: BTreeSet<Local>,
    pub(super) answers: Vec<InHand>,
    pub(super) overdue: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    lease: Option<Lease>,
    papers: Papers,
    quiet: bool,
    closed: bool,
    doubtful: bool,
}

/// One lane's desk. Its owner is the lane's loop; the bell wakes it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) lane: GroupLane,
    pub(super) bell: Bell,
    /// What the lane's loop knows of the store and of the broker.
    pub(super) store: Vital,
    pub(super) broker: Vital,
    state: Mutex<State>,
}

impl Desk {
    pub(super) fn new(lane: GroupLane) -> Self {
        let (store, broker) = (Vital::default(), Vital::default());
        Self { lane, bell: Bell::default(), store, broker, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease this process holds, as far as it knows.
    pub(super) fn lease(&self) -> Option<Lease> {
        self.state().lease.clone()
    }

    /// The epoch of that lease.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.state().lease.as_ref().map(|lease| lease.epoch)
    }

    /// Notes a lease gained, kept or lost, and wakes the loop when that is news.
    pub(super) fn grant(&self, lease: Option<Lease>) {
        let mut state = self.state();
        let epoch = |lease: &Option<Lease>| lease.as_ref().map(|lease| lease.epoch);
        let news = epoch(&state.lease) != epoch(&lease);
        state.lease = lease;
        drop(state);
        if news {
            self.bell.ring();
        }
    }

    /// Notes that `lease` is lost, unless a newer one was granted meanwhile.
    pub(super) fn lose(&self, lease: &Lease) {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|held| held.epoch == lease.epoch) {
            state.lease = None;
        }
    }

    /// Notes that wishes of this lane may be claimed by this process, which does not know of them: only another epoch
    /// brings them back.
    pub(super) fn doubt(&self) {
        self.state().doubtful = true;
    }

    /// Whether the lane must be given back and claimed anew.
    pub(super) fn is_doubtful(&self) -> bool {
        self.state().doubtful
    }

    /// Notes that the lane was given back.
    pub(super) fn trust(&self) {
        self.state().doubtful = false;
    }

    /// Lays local work on the desk.
    pub(super) fn hint(&self, local: Local) {
        self.state().papers.local.insert(local);
        self.bell.ring();
    }

    /// Lays an answer on the desk. An equal one that lies there still is heard for both, unless only this one lets go of
    /// the wish.
    pub(super) fn answer(&self, answer: InHand) {
        let answers = &mut self.state().papers.answers;
        let same = |hand: &InHand| {
            let equal = hand.id == answer.id && hand.effect.key == answer.effect.key;
            equal && (answer.kept || !hand.kept)
        };
        if !answers.iter().any(same) {
            answers.push(answer);
        }
        self.bell.ring();
    }

    /// Whether an answer to a wish is not committed yet.
    pub(super) fn has_answer_to(&self, wish: &EffectKey) -> bool {
        self.state().papers.answers.iter().any(|hand| hand.effect.key == *wish)
    }

    /// Says that something has been owed for longer than `time`.
    pub(super) fn overdue(&self, time: Duration) {
        self.state().papers.overdue = Some(time);
        self.bell.ring();
    }

    /// Looks at everything.
    pub(super) fn papers(&self) -> Papers {
        self.state().papers.clone()
    }

    /// Whether an answer is not committed yet.
    pub(super) fn has_answers(&self) -> bool {
        !self.state().papers.answers.is_empty()
    }

    /// Keeps what passes, of what a turn has had in hand.
    pub(super) fn sweep(
        &self,
        local: impl Fn(&Local) -> bool,
        answers: impl Fn(&InHand) -> bool,
        overdue: bool,
    ) {
        let papers = &mut self.state().papers;
        papers.local.retain(local);
        papers.answers.retain(answers);
        papers.overdue = papers.overdue.filter(|_| overdue);
    }

    /// Forgets all but the answers: the store tells the lane's next owner again.
    pub(super) fn forget(&self) {
        self.sweep(|_| false, |_| true, false);
    }

    /// Notes whether the lane's consumer has nothing to bring, or cannot say anything (rule 2).
    pub(super) fn rest(&self, quiet: bool) {
        self.state().quiet = quiet;
    }

    /// Notes that the lane's loop has ended, and nothing more leaves this desk.
    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    /// Whether the lane's loop has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Whether the lane is quiet.
    pub(super) fn is_quiet(&self) -> bool {
        self.state().quiet
    }
}
