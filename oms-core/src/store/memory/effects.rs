//! Wishes whose last answer has not come, and who has claimed them (rule 18).

use crate::{
    gateway::{Effect, EffectKey},
    id::{Name, StreamId},
    message::GroupLane,
    store::{Doing, Lease, Waiting},
};
use std::collections::{BTreeMap, BTreeSet};

struct Row {
    effect: Effect,
    lane: GroupLane,
    number: u64,
    /// The epoch under which it was claimed.
    claimed: Option<u64>,
}

/// The wishes in flight.
#[derive(Default)]
pub(super) struct Effects {
    all: BTreeMap<EffectKey, Row>,
    lanes: BTreeMap<GroupLane, BTreeMap<u64, EffectKey>>,
    streams: BTreeMap<StreamId, BTreeSet<EffectKey>>,
    number: u64,
    pub(super) rows: u64,
}

impl Effects {
    /// Adds a wish; one whose key is there is left as it is.
    pub(super) fn insert(&mut self, lane: &GroupLane, effect: Effect) {
        if self.all.contains_key(&effect.key) {
            return;
        }
        self.number += 1;
        self.rows += 1;
        let key = effect.key.clone();
        self.lanes.entry(lane.clone()).or_default().insert(self.number, key.clone());
        self.streams.entry(effect.stream.clone()).or_default().insert(key.clone());
        self.all.insert(key, Row { effect, lane: lane.clone(), number: self.number, claimed: None });
    }

    /// Removes a wish.
    pub(super) fn remove(&mut self, key: &EffectKey) {
        let Some(row) = self.all.remove(key) else { return };
        self.rows += 1;
        if let Some(lane) = self.lanes.get_mut(&row.lane) {
            lane.remove(&row.number);
            if lane.is_empty() {
                self.lanes.remove(&row.lane);
            }
        }
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

    /// Whether a wish of this lane was claimed by nobody.
    pub(super) fn is_unclaimed(&self, lane: &GroupLane, key: &EffectKey) -> bool {
        self.all.get(key).is_some_and(|row| row.lane == *lane && row.claimed.is_none())
    }

    /// The unclaimed wishes of a stream.
    pub(super) fn unclaimed(&self, lane: &GroupLane, stream: &StreamId) -> Vec<EffectKey> {
        let keys = self.streams.get(stream).into_iter().flatten();
        keys.filter(|key| self.is_unclaimed(lane, key)).cloned().collect()
    }

    /// Whether a wish of the group may have been told and has no last answer.
    pub(super) fn is_any_claimed(&self, group: &str) -> bool {
        self.all.values().any(|row| &*row.lane.group == group && row.claimed.is_some())
    }

    /// The lanes that the oldest `limit` claimable wishes lie in.
    pub(super) fn claimable(&self, leases: &[Lease], gateway: &str, limit: usize) -> BTreeSet<GroupLane> {
        self.oldest(leases, gateway, limit).into_values().map(|row| row.lane.clone()).collect()
    }

    /// Claims the oldest wishes of these leases.
    pub(super) fn claim(&mut self, leases: &[Lease], gateway: &str, limit: usize) -> Vec<Doing> {
        let keys: Vec<EffectKey> =
            self.oldest(leases, gateway, limit).into_values().map(|row| row.effect.key.clone()).collect();
        let mut doings = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(row) = self.all.get_mut(&key) else { continue };
            let Some(lease) = leases.iter().find(|lease| lease.lane == row.lane) else { continue };
            let maybe_told = row.claimed.replace(lease.epoch).is_some();
            doings.push(Doing { effect: row.effect.clone(), lane: row.lane.clone(), maybe_told });
        }
        doings
    }

    fn oldest(&self, leases: &[Lease], gateway: &str, limit: usize) -> BTreeMap<u64, &Row> {
        let mut oldest = BTreeMap::new();
        for lease in leases {
            let rows = self.lanes.get(&lease.lane).into_iter().flat_map(BTreeMap::values);
            let rows = rows.filter_map(|key| self.all.get(key));
            let own = rows.filter(|row| &*row.effect.gateway == gateway && row.claimed != Some(lease.epoch));
            oldest.extend(own.take(limit).map(|row| (row.number, row)));
        }
        oldest.into_iter().take(limit).collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.all.len() as u64
    }

    /// The wishes, of one order or all.
    pub(super) fn waiting(&self, key: Option<&str>) -> impl Iterator<Item = Waiting> {
        let own = self.all.values().filter(move |row| key.is_none_or(|key| &*row.effect.key.order == key));
        own.map(|row| Waiting::Effect {
            lane: row.lane.clone(),
            key: row.effect.key.clone(),
            gateway: Name::clone(&row.effect.gateway),
            claimed: row.claimed.is_some(),
        })
    }
}
