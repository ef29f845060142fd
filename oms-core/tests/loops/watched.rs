//! A store that counts its calls, and fails when it is told to.

use async_trait::async_trait;
use oms_core::{
    broker::Topology,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Found, Lease, Local, MemoryStore, Pick, Postponed, PublicPack,
        Recorded, Registered, Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Streams,
        Turn, Waiting, Writes,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Somebody else wrote first.
    Conflict,
    /// Nothing happened, and the store is away.
    Away,
    /// It happened, and the answer is lost.
    Lost,
    /// These rows never fit.
    Refused,
    /// The lane has changed hands, as far as the store knows.
    LostLease,
    /// Never answers, and nothing happened.
    Hang,
    /// Nothing goes wrong this time.
    Pass,
}

impl Wrong {
    fn error(self) -> StoreError {
        match self {
            Wrong::Conflict => StoreError::Conflict,
            Wrong::LostLease => StoreError::LostLease(GroupLane::new("?", 0)),
            Wrong::Away | Wrong::Lost | Wrong::Hang | Wrong::Pass => {
                StoreError::unavailable("the line is dead")
            }
            Wrong::Refused => StoreError::refused("these rows never fit"),
        }
    }
}

type Refuses = Box<dyn Fn(&Writes) -> bool + Send>;

#[derive(Default)]
struct Book {
    calls: BTreeMap<&'static str, u64>,
    wrong: BTreeMap<&'static str, VecDeque<Wrong>>,
    refuses: Option<Refuses>,
    /// Every call but a look at what is recorded fails.
    away: bool,
    /// The positions of packs in commits, and how many streams each commit wrote.
    streams: Vec<usize>,
    asks: Vec<Ask>,
}

#[derive(Clone)]
pub(crate) struct Watched {
    inner: MemoryStore,
    book: Arc<Mutex<Book>>,
}

impl Watched {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self { inner, book: Arc::default() }
    }

    /// The store itself, past all that goes wrong.
    pub(crate) fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    /// How often a call was made.
    pub(crate) fn calls(&self, call: &str) -> u64 {
        self.book.lock().unwrap().calls.get(call).copied().unwrap_or(0)
    }

    pub(crate) fn all_calls(&self) -> u64 {
        self.book.lock().unwrap().calls.values().sum()
    }

    /// The next calls go wrong, one after another.
    pub(crate) fn wrong(&self, call: &'static str, how: impl IntoIterator<Item = Wrong>) {
        self.book.lock().unwrap().wrong.entry(call).or_default().extend(how);
    }

    /// Lets every call fail from now on, or none.
    pub(crate) fn away(&self, away: bool) {
        self.book.lock().unwrap().away = away;
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.book.lock().unwrap().wrong.clear();
    }

    /// Every commit for which this says yes is refused for good.
    pub(crate) fn refuse(&self, refuses: impl Fn(&Writes) -> bool + Send + 'static) {
        self.book.lock().unwrap().refuses = Some(Box::new(refuses));
    }

    /// How many streams each commit wrote.
    pub(crate) fn commits(&self) -> Vec<usize> {
        self.book.lock().unwrap().streams.clone()
    }

    /// What each turn asked.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        self.book.lock().unwrap().asks.clone()
    }

    fn note(&self, call: &'static str) -> Option<Wrong> {
        let mut book = self.book.lock().unwrap();
        *book.calls.entry(call).or_default() += 1;
        let away = book.away.then_some(Wrong::Away);
        away.or_else(|| book.wrong.get_mut(call).and_then(VecDeque::pop_front))
    }

    /// Lets a call happen, or go wrong.
    async fn pass<T>(
        &self,
        call: &'static str,
        real: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.note(call) {
            None | Some(Wrong::Pass) => real.await,
            Some(Wrong::Hang) => {
                // What was begun is kept, as a turn that is open.
                let _open = real;
                futures::future::pending().await
            }
            Some(Wrong::Lost) => {
                real.await?;
                Err(Wrong::Lost.error())
            }
            Some(wrong) => Err(wrong.error()),
        }
    }
}

struct WatchedTurn {
    inner: Box<dyn Turn>,
    store: Watched,
}

#[async_trait]
impl Turn for WatchedTurn {
    fn found(&mut self) -> Found {
        self.inner.found()
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        self.store.pass("load", self.inner.load(streams)).await
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let refused = self.store.book.lock().unwrap().refuses.as_ref().is_some_and(|refuse| refuse(&writes));
        if refused {
            return Err(Wrong::Refused.error());
        }
        self.store.book.lock().unwrap().streams.push(writes.streams.len());
        self.store.pass("commit", self.inner.commit(writes)).await
    }
}

#[async_trait]
impl Store for Watched {
    fn capabilities(&self) -> StoreCapabilities {
        self.inner.capabilities()
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        self.pass("register", self.inner.register(topology)).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        self.pass("remove", self.inner.remove(group)).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        self.pass("lease", self.inner.lease(owner, wanted, time)).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        self.book.lock().unwrap().asks.push(ask.clone());
        let inner = self.pass("turn", self.inner.turn(right, ask)).await?;
        Ok(Box::new(WatchedTurn { inner, store: self.clone() }))
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        self.pass("overdue", self.inner.overdue(lanes)).await
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        self.pass("due", self.inner.due(lanes, limit)).await
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.pass("cursors", self.inner.cursors(senders)).await
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        self.pass("unsent", self.inner.unsent(after, limit)).await
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        self.pass("sent", self.inner.sent(cursors, public)).await
    }

    async fn collect(&self, cap: usize) -> Result<usize, StoreError> {
        self.pass("collect", self.inner.collect(cap)).await
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        self.pass("claim", self.inner.claim(leases, gateway, limit)).await
    }

    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError> {
        self.pass("postpone", self.inner.postpone(wishes)).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.pass("dead_letters", self.inner.dead_letters(pick, seek, limit)).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        self.pass("streams", self.inner.streams(kind, after, limit)).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.inner.history(stream, after, limit).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.inner.log(lane, after, limit).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        self.inner.heads(lanes).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.inner.waiting(key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        self.pass("count", self.inner.count()).await
    }
}
