//! A layer around a process's store: it changes a few calls, and passes all others on.

use crate::executor::give_way;
use async_trait::async_trait;
use oms_core::{
    broker::Topology,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Found, Lease, Local, Pick, Postponed, PublicPack, Recorded,
        Registered, Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Streams, Turn,
        Waiting, Writes,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Local work beside its lane, and when the next comes.
pub(super) type Due = (Vec<(GroupLane, Local)>, Option<Duration>);

/// What a layer changes; what it does not name passes.
#[async_trait]
pub(super) trait Layer: Send + Sync + 'static {
    /// Changes what a turn finds.
    fn found(&self, _ask: &Ask, _found: &mut Found) {}

    /// Changes what a turn writes.
    fn writes(&self, _writes: &mut Writes) {}

    /// Changes why a commit failed.
    fn error(&self, error: StoreError) -> StoreError {
        error
    }

    async fn turn(
        &self,
        inside: &Arc<dyn Store>,
        right: &Right,
        ask: Ask,
    ) -> Result<Box<dyn Turn>, StoreError> {
        inside.turn(right, ask).await
    }

    async fn lease(
        &self,
        inside: &dyn Store,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        inside.lease(owner, wanted, time).await
    }

    async fn due(&self, inside: &dyn Store, lanes: &[GroupLane], limit: usize) -> Result<Due, StoreError> {
        inside.due(lanes, limit).await
    }

    async fn unsent(
        &self,
        inside: &dyn Store,
        after: &[(GroupLane, u64)],
        limit: Limit,
    ) -> Result<Vec<Pack>, StoreError> {
        inside.unsent(after, limit).await
    }
}

/// A store with a layer around it.
pub(super) struct Layered<L> {
    inside: Arc<dyn Store>,
    layer: Arc<L>,
}

/// Puts a layer around a store.
pub(super) fn around<L: Layer>(inside: Arc<dyn Store>, layer: L) -> Arc<dyn Store> {
    Arc::new(Layered { inside, layer: Arc::new(layer) })
}

/// A turn with a layer around it.
struct Between<L> {
    inside: Box<dyn Turn>,
    layer: Arc<L>,
    found: Found,
}

#[async_trait]
impl<L: Layer> Turn for Between<L> {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        self.inside.load(streams).await
    }

    async fn commit(self: Box<Self>, mut writes: Writes) -> Result<(), StoreError> {
        self.layer.writes(&mut writes);
        self.inside.commit(writes).await.map_err(|error| self.layer.error(error))
    }
}

#[async_trait]
impl<L: Layer> Store for Layered<L> {
    fn capabilities(&self) -> StoreCapabilities {
        self.inside.capabilities()
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        self.inside.register(topology).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        self.inside.remove(group).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        self.layer.lease(self.inside.as_ref(), owner, wanted, time).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        // A turn that finds nothing because of the bug is begun again at once: others must go on meanwhile.
        give_way().await;
        let mut inside = self.layer.turn(&self.inside, right, ask.clone()).await?;
        let mut found = inside.found();
        self.layer.found(&ask, &mut found);
        Ok(Box::new(Between { inside, layer: Arc::clone(&self.layer), found }))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        self.inside.overdue(lanes).await
    }

    async fn due(&self, lanes: &[GroupLane], limit: usize) -> Result<Due, StoreError> {
        self.layer.due(self.inside.as_ref(), lanes, limit).await
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.inside.cursors(senders).await
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        self.layer.unsent(self.inside.as_ref(), after, limit).await
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        self.inside.sent(cursors, public).await
    }

    async fn collect(&self, cap: usize) -> Result<usize, StoreError> {
        self.inside.collect(cap).await
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        self.inside.claim(leases, gateway, limit).await
    }

    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError> {
        self.inside.postpone(wishes).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.inside.dead_letters(pick, seek, limit).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        self.inside.streams(kind, after, limit).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inside.history(stream, after, limit).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.inside.log(lane, after, limit).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.inside.heads(lanes).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.inside.waiting(key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        self.inside.count().await
    }
}
