//! Parts that take their time: a store and providers between whose work and answer a crash may come.

use async_trait::async_trait;
use oms_core::{
    broker::Topology,
    gateway::{EffectKey, NoAnswer, Port, Repeats, Reported},
    id::StreamId,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Found, Lease, Local, Pick, Postponed, PublicPack, Recorded,
        Registered, Right, Seek, Store, StoreCapabilities, StoreError, Stream, Streams, Turn, Waiting,
        Writes,
    },
};
use std::{collections::BTreeSet, future::poll_fn, sync::Arc, task::Poll, time::Duration};

/// Lets everybody else go on once.
pub(crate) async fn give_way() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn slowly<T>(work: impl Future<Output = T>) -> T {
    give_way().await;
    let done = work.await;
    give_way().await;
    done
}

/// A provider that is dropped before it is told, or after it has done what it was told.
pub(crate) struct SlowPort<P>(pub(crate) P);

#[async_trait]
impl<P: Port> Port for SlowPort<P> {
    type Request = P::Request;
    type Report = P::Report;

    fn repeats(&self) -> Repeats {
        self.0.repeats()
    }

    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    async fn tell(&self, key: &EffectKey, wish: &P::Request) -> Result<Reported<P::Report>, NoAnswer> {
        slowly(self.0.tell(key, wish)).await
    }

    async fn ask(&self, key: &EffectKey, wish: &P::Request) -> Result<Option<Reported<P::Report>>, NoAnswer> {
        slowly(self.0.ask(key, wish)).await
    }
}

/// A store that has committed, and has not said so yet.
pub(crate) struct SlowStore(pub(crate) Arc<dyn Store>);

struct SlowTurn(Box<dyn Turn>);

#[async_trait]
impl Turn for SlowTurn {
    fn found(&mut self) -> Found {
        self.0.found()
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        slowly(self.0.load(streams)).await
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        slowly(self.0.commit(writes)).await
    }
}

/// Calls that change something take their time; those that only read do not.
#[async_trait]
impl Store for SlowStore {
    fn capabilities(&self) -> StoreCapabilities {
        self.0.capabilities()
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        slowly(self.0.register(topology)).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        slowly(self.0.remove(group)).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        slowly(self.0.lease(owner, wanted, time)).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        Ok(Box::new(SlowTurn(slowly(self.0.turn(right, ask)).await?)))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        self.0.overdue(lanes).await
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        slowly(self.0.due(lanes, limit)).await
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.0.cursors(senders).await
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        self.0.unsent(after, limit).await
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        slowly(self.0.sent(cursors, public)).await
    }

    async fn collect(&self, cap: usize) -> Result<usize, StoreError> {
        self.0.collect(cap).await
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        slowly(self.0.claim(leases, gateway, limit)).await
    }

    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError> {
        slowly(self.0.postpone(wishes)).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.0.dead_letters(pick, seek, limit).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        self.0.streams(kind, after, limit).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.0.history(stream, after, limit).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.0.log(lane, after, limit).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.0.heads(lanes).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.0.waiting(key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        self.0.count().await
    }
}
