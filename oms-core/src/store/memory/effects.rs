//! Wishes whose last answer has not come, who has claimed them, and when the others are due (rule 18).

use crate::{
    clock::Timestamp,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name, StreamId, Table},
    message::GroupLane,
    store::{Doing, Lease, Postponed, Waiting},
};
use std::collections::{BTreeMap, BTreeSet};

struct Row {
    effect: Effect,
    lane: GroupLane,
    number: u64,
    /// When it was wished, or from when on it may be claimed again.
    look: Timestamp,
    /// The epoch under which it is claimed.
    claimed: Option<u64>,
    /// Whether it was ever claimed.
    told: bool,
    heard: Option<MessageId>,
    calls: u32,
}

/// When a wish is due, and its number among all.
type Place = (Timestamp, u64);
type Queue = (GroupLane, Name);
type Shelf = BTreeMap<Queue, BTreeMap<Place, EffectKey>>;

/// The wishes in flight.
#[derive(Default)]
pub(super) struct Effects {
    all: Table<EffectKey, Row>,
    /// Those that were never claimed: due whatever the clock says.
    fresh: Shelf,
    /// Those that are claimed, by whomever.
    held: Shelf,
    /// Those that were let go of.
    later: Shelf,
    streams: Table<StreamId, BTreeSet<EffectKey>>,
    number: u64,
    pub(super) rows: u64,
}

impl Effects {
    /// Adds a wish; one whose key is there is left as it is.
    pub(super) fn insert(&mut self, lane: &GroupLane, effect: Effect, now: Timestamp) {
        if self.all.contains_key(&effect.key) {
            return;
        }
        self.number += 1;
        self.rows += 1;
        let key = effect.key.clone();
        self.streams.entry(effect.stream.clone()).or_default().insert(key.clone());
        let row = Row {
            effect,
            lane: lane.clone(),
            number: self.number,
            look: now,
            claimed: None,
            told: false,
            heard: None,
            calls: 0,
        };
        self.list(&row);
        self.all.insert(key, row);
    }

    /// Removes a wish.
    pub(super) fn remove(&mut self, key: &EffectKey) {
        let Some(row) = self.all.remove(key) else { return };
        self.rows += 1;
        self.unlist(&row);
        if let Some(keys) = self.streams.get_mut(&row.effect.stream) {
            keys.remove(key);
            if keys.is_empty() {
                self.streams.remove(&row.effect.stream);
            }
        }
    }

    /// Removes those of a group, and gives how many.
    pub(super) fn remove_group(&mut self, group: &str) -> u64 {
        let own = self.all.iter().filter(|(_, row)| &*row.lane.group == group);
        let keys: Vec<EffectKey> = own.map(|(key, _)| key.clone()).collect();
        keys.iter().for_each(|key| self.remove(key));
        keys.len() as u64
    }

    /// Whether a wish of this lane still stands.
    pub(super) fn stands(&self, lane: &GroupLane, key: &EffectKey) -> bool {
        self.all.get(key).is_some_and(|row| row.lane == *lane)
    }

    /// Whether a wish of this lane was never claimed.
    pub(super) fn is_unclaimed(&self, lane: &GroupLane, key: &EffectKey) -> bool {
        self.all.get(key).is_some_and(|row| row.lane == *lane && !row.told)
    }

    /// The wishes of a stream that were never claimed.
    pub(super) fn unclaimed(&self, lane: &GroupLane, stream: &StreamId) -> Vec<EffectKey> {
        let keys = self.streams.get(stream).into_iter().flatten();
        keys.filter(|key| self.is_unclaimed(lane, key)).cloned().collect()
    }

    /// Whether a wish of the group may have been told and has no last answer.
    pub(super) fn is_any_told(&self, group: &str) -> bool {
        self.all.values().any(|row| &*row.lane.group == group && row.told)
    }

    /// The lanes that the first `limit` claimable wishes lie in.
    pub(super) fn claimable(
        &self,
        leases: &[Lease],
        gateway: &str,
        limit: usize,
        now: Timestamp,
    ) -> BTreeSet<GroupLane> {
        let due = self.due(leases, gateway, limit, now).into_values();
        due.filter_map(|key| self.all.get(&key)).map(|row| row.lane.clone()).collect()
    }

    /// Claims the first due wishes of these leases.
    pub(super) fn claim(
        &mut self,
        leases: &[Lease],
        gateway: &str,
        limit: usize,
        now: Timestamp,
    ) -> Vec<Doing> {
        let keys = self.due(leases, gateway, limit, now).into_values();
        keys.filter_map(|key| {
            let mut row = self.all.remove(&key)?;
            self.unlist(&row);
            row.claimed = leases.iter().find(|lease| lease.lane == row.lane).map(|lease| lease.epoch);
            let doing = Doing {
                effect: row.effect.clone(),
                lane: row.lane.clone(),
                maybe_told: std::mem::replace(&mut row.told, true),
                heard: row.heard,
                calls: row.calls,
            };
            self.list(&row);
            self.all.insert(key, row);
            Some(doing)
        })
        .collect()
    }

    /// When the next wish of these leases that nobody has claimed is due.
    pub(super) fn next(&self, leases: &[Lease], gateway: &str) -> Option<Timestamp> {
        let first = |queue| {
            let shelves = [&self.fresh, &self.later].into_iter();
            shelves.filter_map(move |shelf| shelf.get(&queue)?.first_key_value())
        };
        queues(leases, gateway).flat_map(|(queue, _)| first(queue)).map(|((look, _), _)| *look).min()
    }

    /// Lets go of a wish until `look`, with the answer that was heard, if one was.
    pub(super) fn let_go(
        &mut self,
        key: &EffectKey,
        look: Timestamp,
        (heard, calls): (Option<MessageId>, u32),
    ) {
        let Some(mut row) = self.all.remove(key) else { return };
        self.unlist(&row);
        (row.look, row.calls, row.heard) = (look, calls, heard.or(row.heard));
        (row.claimed, row.told) = (None, true);
        self.list(&row);
        self.all.insert(key.clone(), row);
        self.rows += 1;
    }

    /// Lets go of a wish that is claimed under its lease.
    pub(super) fn postpone(&mut self, wish: &Postponed, now: Timestamp) {
        let claimed = self.all.get(&wish.effect).filter(|row| row.lane == wish.lease.lane);
        if claimed.is_some_and(|row| row.claimed == Some(wish.lease.epoch)) {
            self.let_go(&wish.effect, now.after(wish.again), (wish.heard, wish.calls));
        }
    }

    /// The first due wishes that are not claimed under one of these leases.
    fn due(
        &self,
        leases: &[Lease],
        gateway: &str,
        limit: usize,
        now: Timestamp,
    ) -> BTreeMap<Place, EffectKey> {
        let mut due = BTreeMap::new();
        for (queue, epoch) in queues(leases, gateway) {
            let later = self.later.get(&queue).into_iter().flatten();
            due.extend(later.take_while(|((look, _), _)| *look <= now).take(limit));
            due.extend(self.fresh.get(&queue).into_iter().flatten().take(limit));
            let others = |key: &EffectKey| self.all.get(key).is_some_and(|row| row.claimed != Some(epoch));
            let held = self.held.get(&queue).into_iter().flatten();
            due.extend(held.filter(|(_, key)| others(key)).take(limit));
        }
        due.into_iter().take(limit).map(|(place, key)| (*place, key.clone())).collect()
    }

    fn shelf(&mut self, row: &Row) -> &mut Shelf {
        match row.claimed {
            Some(_) => &mut self.held,
            None if row.told => &mut self.later,
            None => &mut self.fresh,
        }
    }

    fn list(&mut self, row: &Row) {
        let name = (row.lane.clone(), Name::clone(&row.effect.gateway));
        let queue = self.shelf(row).entry(name).or_default();
        queue.insert((row.look, row.number), row.effect.key.clone());
    }

    fn unlist(&mut self, row: &Row) {
        let name = (row.lane.clone(), Name::clone(&row.effect.gateway));
        let shelf = self.shelf(row);
        let Some(queue) = shelf.get_mut(&name) else { return };
        queue.remove(&(row.look, row.number));
        if queue.is_empty() {
            shelf.remove(&name);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.all.len() as u64
    }

    /// The wishes, of one order or all.
    pub(super) fn waiting(&self, key: Option<&str>) -> impl Iterator<Item = Waiting> {
        let own = self.all.iter().filter(|(wish, _)| key.is_none_or(|key| &*wish.order == key));
        let own: BTreeMap<&EffectKey, &Row> = own.collect();
        own.into_values().map(|row| Waiting::Effect {
            lane: row.lane.clone(),
            key: row.effect.key.clone(),
            gateway: Name::clone(&row.effect.gateway),
            claimed: row.told,
        })
    }
}

/// The queues of these leases, each with the lease's epoch.
fn queues(leases: &[Lease], gateway: &str) -> impl Iterator<Item = (Queue, u64)> {
    let gateway = Name::from(gateway);
    leases.iter().map(move |lease| ((lease.lane.clone(), Name::clone(&gateway)), lease.epoch))
}
