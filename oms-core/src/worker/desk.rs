//! A lane's desk: its lease, and the local work that other loops lay there.

use super::bell::Bell;
use crate::{
    gateway::{Answer, Effect},
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
    pub(super) calls: u32,
}

/// What lies on a desk.
#[derive(Debug, Default)]
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
}

/// One lane's desk. Its owner is the lane's loop; the bell wakes it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) lane: GroupLane,
    pub(super) bell: Bell,
    state: Mutex<State>,
}

impl Desk {
    pub(super) fn new(lane: GroupLane) -> Self {
        Self { lane, bell: Bell::default(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease this process holds, as far as it knows.
    pub(super) fn lease(&self) -> Option<Lease> {
        self.state().lease.clone()
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

    /// Lays local work on the desk.
    pub(super) fn hint(&self, local: Local) {
        self.state().papers.local.insert(local);
        self.bell.ring();
    }

    /// Lays an answer on the desk.
    pub(super) fn answer(&self, answer: InHand) {
        self.state().papers.answers.push(answer);
        self.bell.ring();
    }

    /// Says that something has been owed for longer than `time`.
    pub(super) fn overdue(&self, time: Duration) {
        self.state().papers.overdue = Some(time);
        self.bell.ring();
    }

    /// Takes up everything.
    pub(super) fn take(&self) -> Papers {
        std::mem::take(&mut self.state().papers)
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
