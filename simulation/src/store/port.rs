//! The store as one process holds it: the production memory store, and what goes wrong on the way to it.

use super::turn::{SimTurn, note_refusal};
use crate::{executor::give_way, fault::Fault, mark::Mark, world::World};
use async_trait::async_trait;
use oms_core::{
    broker::Topology,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Lease, Local, Pick, Postponed, PublicPack, Recorded, Registered,
        Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Turn, Waiting,
    },
};
use std::{sync::Arc, time::Duration};

/// A process's way to the store.
pub(crate) struct SimStore {
    world: Arc<World>,
    process: usize,
}

impl SimStore {
    pub(crate) fn new(world: Arc<World>, process: usize) -> Self {
        Self { world, process }
    }

    /// Whether the store answers now; others may go on before it does.
    async fn there(&self, writes: bool) -> Result<(), StoreError> {
        let world = &self.world;
        if world.plan.gives_way > 0 {
            give_way().await;
        }
        if world.is_store_away(writes) {
            return Err(StoreError::unavailable("the store is away, or its disk is full"));
        }
        if world.happens(Fault::StoreTimeout) {
            return Err(StoreError::unavailable("the call timed out"));
        }
        Ok(())
    }

    /// Whether the answer of what was done arrives.
    async fn answered<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done {
            note_refusal(&self.world, error);
        }
        if self.world.plan.gives_way > 0 {
            give_way().await;
        }
        if done.is_ok() && self.world.happens(Fault::CommitUnknown) {
            return Err(StoreError::unavailable("the answer was lost"));
        }
        done
    }
}

#[async_trait]
impl Store for SimStore {
    fn capabilities(&self) -> StoreCapabilities {
        self.world.store.capabilities()
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        self.there(true).await?;
        let done = self.world.store.register(topology).await;
        self.answered(done).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        self.there(true).await?;
        let done = self.world.store.remove(group).await;
        self.answered(done).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        self.there(true).await?;
        let done = self.world.store.lease(owner, wanted, time).await;
        if let Ok(leases) = &done {
            self.world.leased(owner, wanted, leases);
        }
        self.answered(done).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        self.there(false).await?;
        let inner = self.world.store.turn(right, ask.clone()).await;
        let inner = inner.inspect_err(|error| note_refusal(&self.world, error))?;
        Ok(Box::new(SimTurn::new(Arc::clone(&self.world), self.process, right, &ask, inner)))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        self.there(false).await?;
        self.world.store.overdue(lanes).await
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        self.there(true).await?;
        let done = self.world.store.due(lanes, limit).await;
        self.answered(done).await
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.there(false).await?;
        let cursors = self.world.store.cursors(senders).await?;
        if cursors.iter().any(|cursor| *cursor > 0) {
            self.world.mark(Mark::CursorRead);
        }
        Ok(cursors)
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        self.there(false).await?;
        self.world.store.unsent(after, limit).await
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        self.there(true).await?;
        let done = self.world.store.sent(cursors, public).await;
        if !public.is_empty() {
            self.world.mark(Mark::PublicSettled);
        }
        self.answered(done).await
    }

    async fn collect(&self, cap: usize) -> Result<usize, StoreError> {
        self.world.store.collect(cap).await
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        self.there(true).await?;
        let done = self.world.store.claim(leases, gateway, limit).await;
        self.answered(done).await
    }

    async fn postpone(&self, postponed: &[Postponed]) -> Result<(), StoreError> {
        self.there(true).await?;
        let done = self.world.store.postpone(postponed).await;
        self.answered(done).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.world.store.dead_letters(pick, seek, limit).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        self.world.store.streams(kind, after, limit).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.there(false).await?;
        self.world.store.history(stream, after, limit).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.world.store.log(lane, after, limit).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.world.store.heads(lanes).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.world.store.waiting(key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        self.there(false).await?;
        self.world.store.count().await
    }
}
