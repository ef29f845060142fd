//! One group's client: a thread that serves it, commits what was acked, and finds out what was lost.

use crate::{
    commits::Mark,
    errors::{sort, unavailable},
    lane::Lane,
    note::Note,
    notices::{Notices, log},
    settings::Settings,
};
use futures::{FutureExt, future::BoxFuture};
use oms_core::{broker::BrokerError, id::Name};
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    config::{FromClientConfigAndContext, RDKafkaLogLevel as Level},
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as Gate, Notify},
    task::{JoinError, spawn_blocking},
    time::timeout_at,
};

/// How often what was acked is committed, a flush aside.
const COMMIT: Duration = Duration::from_millis(200);
/// How long the thread waits for the client before it looks around.
const TICK: Duration = Duration::from_millis(50);
/// How long a broken connection may take to be proved whole before the lanes are told that it is not.
const PROOF: Duration = Duration::from_secs(3);

pub(crate) type Client = BaseConsumer<Listener>;

/// What a group's thread, its lanes and its client's callbacks share.
pub(crate) struct Shared {
    notices: Arc<Notices>,
    lanes: Mutex<BTreeMap<u16, Arc<Lane>>>,
    /// How often a connection of this client broke, and up to which of these its lanes were proved whole.
    breaks: AtomicU64,
    proved: AtomicU64,
    stopped: AtomicBool,
    committing: Mutex<()>,
    /// Topics whose leaders the client has been told to find out.
    warm: Mutex<BTreeSet<String>>,
    news: Notify,
}

/// Takes what the client says.
pub(crate) struct Listener(Arc<Shared>);

impl ClientContext for Listener {
    fn log(&self, level: Level, facility: &str, text: &str) {
        log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if self.0.notices.take(&error, reason) {
            self.0.breaks.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl ConsumerContext for Listener {}

impl Shared {
    pub(crate) fn lanes(&self) -> MutexGuard<'_, BTreeMap<u16, Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection broke, and nobody has looked since whether the server still is the same.
    fn is_suspect(&self) -> bool {
        self.breaks.load(Ordering::Acquire) != self.proved.load(Ordering::Acquire)
    }

    /// Commits what was acked, and waits for the answer: the client tells nobody what became of a commit that is
    /// not waited for. Blocks, at most for the session time-out.
    fn commit(&self, client: &Client, lanes: &[Arc<Lane>]) -> KafkaResult<()> {
        let _one = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_suspect() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        let mut sent = Vec::new();
        for mark in lanes.iter().filter(|lane| !lane.is_lost()).flat_map(|lane| &lane.marks) {
            if mark.collect(&mut list)? {
                sent.push(mark);
            }
        }
        if sent.is_empty() {
            return Ok(());
        }
        let committed = client.commit(&list, CommitMode::Sync);
        if committed.is_err() {
            sent.into_iter().for_each(Mark::lost);
        }
        committed
    }

    /// Commits what can wait; what fails is tried again.
    fn commit_some(&self, client: &Client, lanes: &[Arc<Lane>]) {
        if let Err(error) = self.commit(client, lanes) {
            tracing::warn!(%error, "what was acked is committed later");
        }
    }

    /// After a broken connection: whether every lane's offsets still stand where we knew them, with their text.
    fn prove(&self, client: &Client, patience: Duration) {
        let breaks = self.breaks.load(Ordering::Acquire);
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let lanes: Vec<Arc<Lane>> =
            self.lanes().values().filter(|lane| !lane.is_lost()).map(Arc::clone).collect();
        let mut list = TopicPartitionList::new();
        for mark in lanes.iter().flat_map(|lane| &lane.marks) {
            list.add_partition(&mark.topic.wire, mark.partition());
        }
        if list.count() > 0 {
            let found = client.committed_offsets(list, patience.min(PROOF));
            for lane in &lanes {
                match &found {
                    Ok(found) if stands(lane, found) => {}
                    Ok(_) => lane.lose("the server no longer knows this lane: it was wiped, or reset"),
                    Err(error) => lane.lose(format!("the connection broke, and nobody answers: {error}")),
                }
            }
        }
        self.proved.store(breaks, Ordering::Release);
        self.news.notify_waiters();
    }

    /// Has the client find out who leads a topic, which it does in a second of its own time otherwise. Blocks.
    pub(crate) fn warm(&self, client: &Client, topic: &str, timeout: Duration) -> KafkaResult<()> {
        let known = self.warm.lock().unwrap_or_else(PoisonError::into_inner).contains(topic);
        if !known {
            client.fetch_metadata(Some(topic), timeout)?;
            self.warm.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned());
        }
        Ok(())
    }

    /// Stops fetching for a lane, once; what its reader acked is sent before.
    pub(crate) fn dismiss(&self, client: &Client, lane: &Arc<Lane>) {
        if !lane.assigned.swap(false, Ordering::AcqRel) {
            return;
        }
        self.commit_some(client, std::slice::from_ref(lane));
        let mut list = TopicPartitionList::new();
        for mark in &lane.marks {
            list.add_partition(&mark.topic.wire, mark.partition());
        }
        if let Err(error) = client.incremental_unassign(&list) {
            tracing::debug!(%error, lane = lane.number, "a lane was not given back");
        }
    }

    fn sweep(&self, client: &Client) {
        let gone: Vec<Arc<Lane>> =
            self.lanes().values().filter(|lane| lane.left.load(Ordering::Acquire)).map(Arc::clone).collect();
        for lane in gone {
            self.dismiss(client, &lane);
            let done = lane.is_lost() || lane.is_committed() || self.stopped.load(Ordering::Acquire);
            let mut lanes = self.lanes();
            if done && lanes.get(&lane.number).is_some_and(|known| Arc::ptr_eq(known, &lane)) {
                lanes.remove(&lane.number);
            }
        }
    }
}

/// Whether a lane's offsets are still those of the server it subscribed at.
fn stands(lane: &Lane, found: &TopicPartitionList) -> bool {
    lane.marks.iter().all(|mark| {
        let one = found.find_partition(&mark.topic.wire, mark.partition());
        one.is_some_and(|one| {
            matches!(one.offset(), Offset::Offset(_)) && Note::read(one.metadata()).origin == mark.origin
        })
    })
}

/// Serves a client until nobody else holds it, and closes it here: closing waits.
fn serve(client: Arc<Client>, shared: Arc<Shared>, timeout: Duration) {
    let mut committed = Instant::now();
    loop {
        if let Some(Ok(message)) = client.poll(TICK)
            && let Ok(lane) = u16::try_from(message.partition())
            && let Some(lane) = shared.lanes().get(&lane)
        {
            lane.lose(format!("a pack of {} came past its queue", message.topic()));
        }
        if shared.is_suspect() {
            shared.prove(&client, timeout);
        }
        let stopped = shared.stopped.load(Ordering::Acquire);
        if stopped || committed.elapsed() >= COMMIT {
            committed = Instant::now();
            let lanes: Vec<Arc<Lane>> = shared.lanes().values().map(Arc::clone).collect();
            shared.commit_some(&client, &lanes);
        }
        shared.sweep(&client);
        if stopped && Arc::strong_count(&client) == 1 {
            return;
        }
    }
}

/// A group's client, as the rest of the connection holds it.
pub(crate) struct Group {
    pub(crate) name: Name,
    pub(crate) client: Arc<Client>,
    pub(crate) shared: Arc<Shared>,
    gate: Arc<Gate<()>>,
    timeout: Duration,
}

impl Group {
    /// Makes a client, and the thread that serves it until the group is dropped.
    pub(crate) fn open(
        settings: &Settings,
        name: &Name,
        notices: &Arc<Notices>,
    ) -> Result<Self, BrokerError> {
        let shared = Arc::new(Shared {
            notices: Arc::clone(notices),
            lanes: Mutex::default(),
            breaks: AtomicU64::new(0),
            proved: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            committing: Mutex::default(),
            warm: Mutex::default(),
            news: Notify::new(),
        });
        let wire = format!("{}{name}", settings.prefix);
        let config = settings.consumer(&wire);
        let client = Client::from_config_and_context(&config, Listener(Arc::clone(&shared)))
            .map_err(|error| sort(&error, "connecting a group"))?;
        let (client, timeout) = (Arc::new(client), settings.timeout);
        let (served, with) = (Arc::clone(&client), Arc::clone(&shared));
        thread::Builder::new()
            .name("oms-kafka group".to_owned())
            .spawn(move || serve(served, with, timeout))
            .map_err(|error| unavailable(format!("no thread for group {name}: {error}")))?;
        Ok(Self { name: Name::clone(name), client, shared, gate: Arc::default(), timeout })
    }

    /// Commits what a lane's reader has acked, and waits until the server has it.
    pub(crate) async fn flush(&self, lane: &Arc<Lane>) -> Result<(), BrokerError> {
        let until = tokio::time::Instant::now() + self.timeout;
        loop {
            let mut news = pin!(self.shared.news.notified());
            news.as_mut().enable();
            if let Some(why) = lane.lost() {
                return Err(unavailable(why));
            }
            if !self.shared.is_suspect() {
                if lane.is_committed() {
                    return Ok(());
                }
                self.commit(lane).await?;
                continue;
            }
            if timeout_at(until, news).await.is_err() {
                return Err(unavailable("what was acked could not be committed in time"));
            }
        }
    }

    async fn commit(&self, lane: &Arc<Lane>) -> Result<(), BrokerError> {
        let (client, shared, lane) = (Arc::clone(&self.client), Arc::clone(&self.shared), Arc::clone(lane));
        let doing = format!("committing for group {}", self.name);
        self.ask(move || shared.commit(&client, &[lane]).map_err(|error| sort(&error, &doing))).await
    }

    /// Runs what blocks, after what was asked for this group before: a group takes one thread to ask, however many
    /// lanes it has.
    ///
    /// The wait is a task of its own: a future that got its turn and is not polled would hold up all others.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BrokerError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, BrokerError>> {
        let gate = Arc::clone(&self.gate);
        let asked = tokio::spawn(async move {
            let _turn = gate.lock().await;
            spawn_blocking(work).await
        });
        async move {
            let cut = |error: JoinError| unavailable(format!("a call was cut off: {error}"));
            asked.await.map_err(cut)?.map_err(cut)?
        }
        .boxed()
    }

    /// Flushes every lane.
    pub(crate) async fn flush_all(&self) -> Result<(), BrokerError> {
        let lanes: Vec<Arc<Lane>> = self.shared.lanes().values().map(Arc::clone).collect();
        for lane in lanes {
            self.flush(&lane).await?;
        }
        Ok(())
    }

    /// Wakes every reader, so that it sees that the connection was shut down.
    pub(crate) fn wake(&self) {
        self.shared.lanes().values().for_each(|lane| lane.waker.wake());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
    }
}
