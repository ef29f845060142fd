//! A store that shows its commits to the finish line, and lets them share a transaction or not.

use super::finish::FinishLine;
use async_trait::async_trait;
use futures::lock::Mutex;
use oms_core::{
    broker::Topology,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Found, Lease, Local, Pick, Postponed, PublicPack, Recorded,
        Registered, Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Streams, Turn,
        Waiting, Writes,
    },
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A store under watch.
pub struct Watched {
    store: Arc<dyn Store>,
    line: Arc<FinishLine>,
    gate: Arc<Mutex<()>>,
    alone: AtomicBool,
}

impl Watched {
    /// Watches `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, line: Arc<FinishLine>) -> Self {
        Self { store, line, gate: Arc::default(), alone: AtomicBool::new(false) }
    }

    /// From now on no two turns are written in one transaction: the next commits when the one before it has.
    pub fn commit_alone(&self) {
        self.alone.store(true, Ordering::SeqCst);
    }
}

struct WatchedTurn {
    turn: Box<dyn Turn>,
    line: Arc<FinishLine>,
    gate: Option<Arc<Mutex<()>>>,
}

#[async_trait]
impl Turn for WatchedTurn {
    fn found(&mut self) -> Found {
        self.turn.found()
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        self.turn.load(streams).await
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let Self { turn, line, gate } = *self;
        let passing = line.look(&writes);
        match gate {
            None => turn.commit(writes).await?,
            Some(gate) => {
                let _alone = gate.lock().await;
                turn.commit(writes).await?;
            }
        }
        line.pass(passing);
        Ok(())
    }
}

#[async_trait]
impl Store for Watched {
    fn capabilities(&self) -> StoreCapabilities {
        self.store.capabilities()
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        self.store.register(topology).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        self.store.remove(group).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        self.store.lease(owner, wanted, time).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        let turn = self.store.turn(right, ask).await?;
        let gate = self.alone.load(Ordering::SeqCst).then(|| Arc::clone(&self.gate));
        Ok(Box::new(WatchedTurn { turn, line: Arc::clone(&self.line), gate }))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        self.store.overdue(lanes).await
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        self.store.due(lanes, limit).await
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.store.cursors(senders).await
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        self.store.unsent(after, limit).await
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        self.store.sent(cursors, public).await
    }

    async fn collect(&self, cap: usize) -> Result<usize, StoreError> {
        self.store.collect(cap).await
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        self.store.claim(leases, gateway, limit).await
    }

    async fn postpone(&self, later: &[Postponed]) -> Result<(), StoreError> {
        self.store.postpone(later).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.dead_letters(pick, seek, limit).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        self.store.streams(kind, after, limit).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.store.history(stream, after, limit).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.store.log(lane, after, limit).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.store.heads(lanes).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.store.waiting(key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        self.store.count().await
    }
}
