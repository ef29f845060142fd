//! The memory store as its users hold it: the port over what its clones share.

use super::{public, shared::Shared, state::State, turn::MemoryTurn};
use crate::{
    broker::Topology,
    clock::Clock,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Lease, Local, Pick, Postponed, PublicPack, Recorded, Registered,
        Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Turn, Waiting, locks::Locks,
    },
};
use async_trait::async_trait;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Keeps everything in memory. Clones share one store, and so may several owners of lanes.
///
/// ```
/// use futures::FutureExt;
/// use oms_core::{broker::Topology, clock::*, store::{MemoryStore, Store}};
/// use std::{sync::Arc, time::Duration};
/// struct Still;
/// impl Clock for Still {
///     fn now(&self) -> Timestamp { Timestamp(0) }
///     fn sleep(&self, _: Duration) -> futures::future::BoxFuture<'static, ()> { futures::future::ready(()).boxed() }
/// }
/// let store = MemoryStore::new(Arc::new(Still));
/// let topology = Topology { lanes: 4, ..Topology::default() };
/// let registered = store.register(&topology).now_or_never().and_then(Result::ok);
/// assert_eq!(registered.map(|registered| registered.topology), Some(topology));
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Shared>);

impl MemoryStore {
    /// Makes an empty store that lives by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(State::default());
        Self(Arc::new(Shared { clock, state, lanes: Locks::default(), shared: Locks::default() }))
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> StoreCapabilities {
        StoreCapabilities { name: "memory", many_processes: false, survives_kill: false }
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        // No lane's lock is taken: a turn that read the older revision cannot commit.
        self.0.state().register(topology)
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        let lanes = {
            let mut state = self.0.state();
            state.unhear(group);
            state.topology.lanes
        };
        let lanes: BTreeSet<GroupLane> = (0..lanes).map(|lane| GroupLane::new(group, lane)).collect();
        let _lanes = self.0.lanes.lock_all(lanes).await;
        let mut state = self.0.state();
        if state.is_busy(group) { Err(StoreError::Conflict) } else { Ok(state.remove(group)) }
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let now = self.0.clock.now();
        let state = &mut *self.0.state();
        let open: Vec<GroupLane> =
            wanted.iter().filter(|lane| !state.removed.contains(&lane.group)).cloned().collect();
        Ok(state.owners.lease(owner, &open, time, now, &mut state.leases))
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        Ok(Box::new(MemoryTurn::open(&self.0, right, &ask).await?))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        let now = self.0.clock.now();
        let state = self.0.state();
        let overdue = lanes.iter().filter(|(lane, longer)| state.owing.overdue(lane, *longer, now));
        Ok(overdue.map(|(lane, _)| lane.clone()).collect())
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let (mut all, mut next) = (Vec::new(), None);
        for lane in lanes {
            let (due, later) = state.due(lane, now);
            all.extend(due.into_iter().map(|local| (lane.clone(), local)));
            next = next.into_iter().chain(later).min();
        }
        all.truncate(limit);
        Ok((all, next.map(|next| next.since(now))))
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let state = self.0.state();
        Ok(senders.iter().map(|lane| state.cursors.get(lane).copied().unwrap_or(0)).collect())
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        Ok(self.0.state().owing.unsent(after, limit))
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        state.cursors.extend(cursors.iter().cloned());
        public.iter().for_each(|pack| public::settle(&mut state, pack, now));
        Ok(())
    }

    async fn collect(&self, _cap: usize) -> Result<usize, StoreError> {
        // A body always goes with its last owed row: both are removed under one lock.
        Ok(0)
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        let now = self.0.clock.now();
        // Only the lanes with something to claim are locked: the others' turns are not held up.
        let lanes = self.0.state().effects.claimable(leases, gateway, limit, now);
        let _lanes = self.0.lanes.lock_all(lanes.clone()).await;
        let mut state = self.0.state();
        if let Some(lost) = leases.iter().find(|lease| !state.leases.holds(lease)) {
            return Err(StoreError::LostLease(lost.lane.clone()));
        }
        let locked: Vec<Lease> = leases.iter().filter(|lease| lanes.contains(&lease.lane)).cloned().collect();
        let doings = state.effects.claim(&locked, gateway, limit, now);
        let next = state.effects.next(leases, gateway).map(|next| next.since(now));
        Ok(Claimed { doings, next })
    }

    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        for wish in wishes {
            if state.leases.holds(&wish.lease) {
                state.effects.postpone(wish, now);
            }
        }
        Ok(())
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(self.0.state().parking.letters(pick, seek, limit))
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        Ok(self.0.state().streams.of_kind(kind, after, limit))
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.0.state().streams.history(stream, after, limit))
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.0.state().streams.log(lane, after, limit))
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let state = self.0.state();
        Ok(lanes.iter().map(|lane| state.streams.head(lane)).collect())
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        Ok(self.0.state().waiting(key, limit))
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        Ok(self.0.state().count())
    }
}
