//! An open turn of the memory store: it holds its lane, and the shared streams it loaded, until it is dropped.

#[cfg(oms_mutants)]
use super::mutant::{Guard, lacks, nobodys};
use super::{
    commit::{Read, commit, fenced},
    shared::Shared,
};
use crate::{
    id::Rank,
    message::GroupLane,
    store::{Ask, Found, Local, Right, StoreError, StreamId, Streams, Turn, Writes, locks::Held},
};
use async_trait::async_trait;
use std::{collections::BTreeSet, sync::Arc};

/// One turn.
pub(super) struct MemoryTurn {
    store: Arc<Shared>,
    read: Read,
    found: Found,
    shared: Option<Vec<Held<StreamId>>>,
    _lane: Held<GroupLane>,
}

impl MemoryTurn {
    /// Locks the lane, checks the epoch, then reads (rule 8).
    pub(super) async fn open(store: &Arc<Shared>, right: &Right, ask: &Ask) -> Result<Self, StoreError> {
        if ask.streams.iter().any(|stream| stream.rank == Rank::Shared) {
            return Err(StoreError::Misused("shared streams are loaded last, by themselves"));
        }
        #[cfg(oms_mutants)]
        let early = store.state().positions.get(right.lane()).copied().unwrap_or(0) + 1;
        let lane = store.lanes.lock(right.lane().clone()).await;
        let (read, found) = find(store, right, ask)?;
        #[cfg(oms_mutants)]
        let (lane, read, found) = unguarded(store, lane, early, read, found).await;
        Ok(Self { store: Arc::clone(store), read, found, shared: None, _lane: lane })
    }
}

fn find(store: &Shared, right: &Right, ask: &Ask) -> Result<(Read, Found), StoreError> {
    let now = store.clock.now();
    let state = store.state();
    fenced(&state, right)?;
    let lane = right.lane();
    let (owed, duplicates) = state.owing.find(lane, ask, now);
    let local = ask.local.iter().filter_map(|local| match local {
        Local::Due(stream) => state.alarms.firing(lane, stream, &state.owing, now),
        Local::Released(seq) => state.parking.release(lane, *seq, now),
        Local::Redriven(number) => state.parking.redrive_one(lane, *number),
    });
    let standing = ask.answered.iter().filter(|key| state.effects.stands(lane, key));
    let position = state.positions.get(lane).copied().unwrap_or(0) + 1;
    let found = Found {
        owed,
        duplicates,
        local: local.collect(),
        standing: standing.cloned().collect(),
        parked: state.parking.keys(lane),
        streams: state.load(lane, &ask.streams),
        hears: Arc::clone(&state.hears),
        revision: state.revision,
        position,
        now,
    };
    Ok((Read { right: right.clone(), revision: state.revision, position, now }, found))
}

/// Lets go of the lane, or keeps the position that was read before it was locked, where a planted bug wants that.
#[cfg(oms_mutants)]
async fn unguarded(
    store: &Shared,
    lane: Held<GroupLane>,
    early: u64,
    mut read: Read,
    mut found: Found,
) -> (Held<GroupLane>, Read, Found) {
    if lacks(Guard::Behind) {
        (read.position, found.position) = (early, early);
    }
    let lane = if lacks(Guard::Lock) { store.lanes.lock(nobodys()).await } else { lane };
    (lane, read, found)
}

#[async_trait]
impl Turn for MemoryTurn {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        let shared: BTreeSet<StreamId> =
            streams.iter().filter(|stream| stream.rank == Rank::Shared).cloned().collect();
        if !shared.is_empty() {
            if self.shared.is_some() {
                return Err(StoreError::Misused("shared streams are loaded once in a turn"));
            }
            self.shared = Some(self.store.shared.lock_all(shared).await);
        }
        Ok(self.store.state().load(self.read.right.lane(), streams))
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let now = self.store.clock.now();
        commit(&mut self.store.state(), &self.read, writes, now)
    }
}
