//! The tables of the memory store, and who hears what.

use super::{
    alarms::Alarms, effects::Effects, leases::Leases, owing::Owing, parking::Parking, streams::StreamTable,
};
use crate::{
    broker::Topology,
    clock::Timestamp,
    id::Name,
    message::GroupLane,
    store::{
        Counts, Local, Owners, PUBLIC, Registered, StoreError, Stream, StreamId, Streams, Waiting, lanes_fit,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Everything the store holds; always looked at and changed as a whole.
#[derive(Default)]
pub(super) struct State {
    pub(super) topology: Topology,
    pub(super) hears: Arc<BTreeMap<Name, BTreeSet<Name>>>,
    pub(super) revision: u64,
    pub(super) removed: BTreeSet<Name>,
    pub(super) owners: Owners,
    pub(super) leases: Leases,
    pub(super) owing: Owing,
    pub(super) alarms: Alarms,
    pub(super) parking: Parking,
    pub(super) effects: Effects,
    pub(super) streams: StreamTable,
    pub(super) positions: BTreeMap<GroupLane, u64>,
    pub(super) cursors: BTreeMap<GroupLane, u64>,
    pub(super) commits: u64,
}

impl State {
    /// Adds who hears what.
    pub(super) fn register(&mut self, topology: &Topology) -> Result<Registered, StoreError> {
        lanes_fit(topology.lanes, self.topology.lanes)?;
        if topology.hears.contains_key(PUBLIC) {
            return Err(StoreError::Misused("a group cannot have the name of the hearers outside the store"));
        }
        let mut next = self.topology.clone();
        next.lanes = topology.lanes;
        next.public.extend(topology.public.iter().cloned());
        next.hears.extend(topology.hears.iter().map(|(group, topics)| (Name::clone(group), topics.clone())));
        self.removed.retain(|group| !topology.hears.contains_key(group));
        self.change(next);
        Ok(Registered { topology: self.topology.clone(), revision: self.revision })
    }

    /// Ends what a group hears.
    pub(super) fn unhear(&mut self, group: &str) {
        let mut next = self.topology.clone();
        next.hears.remove(group);
        self.change(next);
    }

    fn change(&mut self, next: Topology) {
        if next == self.topology {
            return;
        }
        let mut hears = next.hears.clone();
        if !next.public.is_empty() {
            hears.insert(Name::from(PUBLIC), next.public.clone());
        }
        self.hears = Arc::new(hears);
        self.topology = next;
        self.revision += 1;
    }

    /// Whether a group's calls or public messages must still be brought to their end (rule 4).
    pub(super) fn is_busy(&self, group: &str) -> bool {
        self.effects.is_any_told(group) || self.owing.is_unsent_to(group, PUBLIC)
    }

    /// Removes all rows of a group.
    pub(super) fn remove(&mut self, group: &str) -> u64 {
        self.removed.insert(Name::from(group));
        self.leases.revoke(group);
        let waiting = self.owing.remove(group) + self.parking.remove_group(group);
        waiting + self.effects.remove_group(group) + self.alarms.remove_group(group)
    }

    /// Streams as a turn of `lane` sees them.
    pub(super) fn load<'a>(
        &self,
        lane: &GroupLane,
        streams: impl IntoIterator<Item = &'a StreamId>,
    ) -> Streams {
        let load = |id: &StreamId| {
            (id.clone(), Stream { unclaimed: self.effects.unclaimed(lane, id), ..self.streams.get(id) })
        };
        streams.into_iter().map(load).collect()
    }

    /// Local work of one lane; puts off the deadlines that need it. Gives when the next comes.
    pub(super) fn due(&mut self, lane: &GroupLane, now: Timestamp) -> (Vec<Local>, Option<Timestamp>) {
        let (mut due, mut next) = (Vec::new(), None);
        for (seq, time) in self.parking.heads(lane) {
            if time <= now {
                due.push(Local::Released(seq));
            } else {
                next = Some(next.map_or(time, |next: Timestamp| next.min(time)));
            }
        }
        due.sort();
        due.extend(self.parking.redriven(lane).map(Local::Redriven));
        due.extend(self.alarms.look(lane, &self.owing, now).into_iter().map(Local::Due));
        (due, self.alarms.next(lane, now).into_iter().chain(next).min())
    }

    /// How much is waiting.
    pub(super) fn count(&self) -> Counts {
        Counts {
            owed: self.owing.count(),
            parked: self.parking.parked(),
            buried: self.parking.buried(),
            effects: self.effects.count(),
            rows_written: self.owing.rows
                + self.alarms.rows
                + self.parking.rows
                + self.effects.rows
                + self.streams.rows,
            commits: self.commits,
        }
    }

    /// What is in flight.
    pub(super) fn waiting(&self, key: Option<&str>, limit: usize) -> Vec<Waiting> {
        let hash = key.map(crate::message::key_hash);
        let owed = self.owing.waiting(hash).chain(self.parking.waiting(key));
        owed.chain(self.effects.waiting(key)).chain(self.alarms.waiting(key)).take(limit).collect()
    }
}
