//! The errands of one door: the wishes it holds, those of them that wait a little, and those it is to let go of.

use super::parts::Parts;
use crate::{
    clock::Timestamp,
    gateway::EffectKey,
    message::GroupLane,
    store::{Doing, Lease, Postponed},
};
use std::{collections::BTreeMap, time::Duration};

/// A wish that waits for longer than this is let go of: the store knows when it is due.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// How many wishes wait here at a time; what is more is let go of, however short its wait.
pub(super) const MOST: usize = 256;

/// What a door holds. Its wishes are claimed in the store by this process, and nobody else's until they are let go of.
#[derive(Default)]
pub(super) struct Errands {
    /// The wishes of all errands, each with the lease under which it was claimed last.
    held: BTreeMap<EffectKey, Lease>,
    /// Those that wait until the gateway may have news, or is tried again.
    later: BTreeMap<(Timestamp, u64), Doing>,
    /// Those that wait too long for that, each with the time until which it waits.
    parting: Vec<(Doing, Timestamp)>,
    count: u64,
}

impl Errands {
    /// Takes a wish in hand; false when it is in hand since an earlier epoch, and goes on under this one.
    pub(super) fn take(&mut self, doing: &Doing, lease: &Lease) -> bool {
        self.held.insert(doing.effect.key.clone(), lease.clone()).is_none()
    }

    /// Forgets a wish: its answer is on the desk, or its lane is somebody else's.
    pub(super) fn forget(&mut self, wish: &EffectKey) {
        self.held.remove(wish);
    }

    /// The lease under which a wish is held.
    pub(super) fn lease(&self, wish: &EffectKey) -> Option<&Lease> {
        self.held.get(wish)
    }

    /// How many wishes are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The lanes of all that is held.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &GroupLane> {
        self.held.values().map(|lease| &lease.lane)
    }

    /// Whether a wish that waits this long is kept here.
    pub(super) fn keeps(&self, wait: Duration) -> bool {
        wait <= SHORT && self.later.len() < MOST
    }

    /// Puts a wish off until `time`.
    pub(super) fn put_off(&mut self, doing: Doing, time: Timestamp) {
        self.count += 1;
        self.later.insert((time, self.count), doing);
    }

    /// Puts a wish off until `time` with the store, as soon as that can be.
    pub(super) fn part(&mut self, doing: Doing, time: Timestamp) {
        self.parting.push((doing, time));
    }

    /// The first that has waited long enough.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Doing> {
        let entry = self.later.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// When the first has waited long enough.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.later.first_key_value().map(|((time, _), _)| *time)
    }

    /// What the store is to be told of those that part. One whose answer lies on the desk stays a little: that its handler
    /// has heard it may be told only once that is durable.
    pub(super) fn partings(&mut self, parts: &Parts) -> Vec<Postponed> {
        let now = parts.clock.now();
        for (doing, time) in std::mem::take(&mut self.parting) {
            let desk = parts.desk(&doing.lane);
            if desk.is_some_and(|desk| desk.has_answer_to(&doing.effect.key)) {
                self.put_off(doing, time.min(now.after(SHORT)));
            } else {
                self.parting.push((doing, time));
            }
        }
        let postponed = |(doing, time): &(Doing, Timestamp)| {
            Some(Postponed {
                lease: self.held.get(&doing.effect.key)?.clone(),
                effect: doing.effect.key.clone(),
                again: time.since(now),
                heard: doing.heard,
                calls: doing.calls,
            })
        };
        self.parting.iter().filter_map(postponed).collect()
    }

    /// Notes that the store was told of all that part.
    pub(super) fn parted(&mut self) {
        for (doing, _) in self.parting.drain(..) {
            self.held.remove(&doing.effect.key);
        }
    }
}
