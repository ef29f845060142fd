//! A house on a stage: one store, one broker, as many processes as a test wants, and time that is not waited for.

use crate::{
    door::Door,
    toy::{Do, Toy, names, outside},
    watched::Watched,
    wild::Wild,
};
use futures::{
    StreamExt,
    future::{BoxFuture, Either, select},
    stream::FuturesUnordered,
};
use oms_core::{
    broker::Topology,
    clock::Clock,
    conformance::{Stage, VirtualClock},
    id::{IdSource, Name},
    message::{GroupLane, Json, Key, Limit},
    service::Handler,
    store::{Ask, Counts, MemoryStore, Right, Store, Turn, Waiting},
    worker::{Metrics, Options, Parts, Reply, RequestError, RetryPolicy, Supplies, request, tasks},
};
use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

pub(crate) const T: Duration = Duration::from_secs(5);

struct Owner(u128);

impl IdSource for Owner {
    fn next(&self) -> u128 {
        self.0
    }
}

pub(crate) struct House {
    pub(crate) stage: Stage,
    pub(crate) clock: VirtualClock,
    pub(crate) store: Watched,
    pub(crate) broker: Wild,
    pub(crate) door: Door,
    pub(crate) options: Options,
    pub(crate) toys: Vec<Toy>,
    pub(crate) public: Vec<&'static str>,
}

impl House {
    /// A house in which `source` hears nothing and sends, and `sink` hears `work`.
    pub(crate) fn new() -> Self {
        Self::with(Wild::new(false))
    }

    pub(crate) fn with(broker: Wild) -> Self {
        let stage = Stage::default();
        let clock = stage.clock();
        let options = Options {
            lanes: 2,
            batch: Limit { messages: 10, bytes: 1 << 20 },
            pack: Limit { messages: 4, bytes: 1 << 16 },
            lease: Duration::from_secs(3),
            overdue: T,
            retry: RetryPolicy { attempts: 3, ..RetryPolicy::default() },
            ..Options::default()
        };
        Self {
            store: Watched::new(MemoryStore::new(Arc::new(clock.clone()))),
            door: Door::new(clock.clone(), 2),
            toys: vec![Toy::new("source", &[]), Toy::new("sink", &["work"])],
            public: Vec::new(),
            stage,
            clock,
            broker,
            options,
        }
    }

    pub(crate) fn toy(&self, group: &str) -> &Toy {
        self.toys.iter().find(|toy| toy.group == group).unwrap()
    }

    /// Another process of the house.
    pub(crate) async fn process(&self, owner: u128) -> Arc<Parts> {
        let handlers: Vec<Arc<dyn Handler>> =
            self.toys.iter().map(|toy| Arc::new(toy.clone()) as Arc<dyn Handler>).collect();
        let hears = handlers.iter().map(|one| (one.group(), one.hears().into_iter().collect()));
        let public = self.public.iter().map(|topic| Name::from(*topic)).collect();
        let topology = Topology { hears: hears.collect(), public, lanes: self.options.lanes };
        let registered = self.store.register(&topology).await.unwrap();
        let supplies = Supplies {
            store: Arc::new(self.store.clone()),
            broker: Arc::new(self.broker.clone()),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(Owner(owner)),
            codec: Arc::new(Json),
            handlers,
            gateways: BTreeMap::from([(Name::from("door"), Arc::new(self.door.clone()) as Arc<_>)]),
            options: self.options,
            served: None,
            models: None,
        };
        Arc::new(Parts::new(supplies, registered.topology))
    }

    /// Runs one process while `script` plays; gives what it comes to.
    pub(crate) fn play<'a, F, R>(&'a self, script: F) -> R
    where
        F: FnOnce(Arc<Parts>) -> BoxFuture<'a, R>,
    {
        let play = async {
            let parts = self.process(1).await;
            let running = running(&parts);
            match select(pin!(script(Arc::clone(&parts))), running).await {
                Either::Left((result, _)) => result,
                Either::Right(((), script)) => script.await,
            }
        };
        self.stage.run(play).expect("the house is stuck")
    }

    pub(crate) async fn wait(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// What a stream of a group has heard.
    pub(crate) async fn heard(&self, group: &str, key: &str) -> Vec<String> {
        let stream = self.toy(group).stream(key);
        let recorded = self.store.history(&stream, 0, usize::MAX).await.unwrap();
        names(&recorded.into_iter().map(|one| one.event).collect::<Vec<_>>())
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.store.count().await.unwrap()
    }

    /// Two keys of different lanes.
    pub(crate) fn two_lanes(&self) -> (String, String) {
        let lane = |key: &str| Key::new(Name::from(key)).lane(self.options.lanes);
        let other = ["b", "c", "d", "e"].into_iter().find(|key| lane(key) != lane("a"));
        ("a".to_owned(), other.unwrap().to_owned())
    }

    /// As [`House::counts`], however much goes wrong.
    pub(crate) async fn counts_past_trouble(&self) -> Counts {
        self.store.inner().count().await.unwrap()
    }

    /// Waits until nothing is in flight; says how long that took.
    pub(crate) async fn settled(&self) -> Duration {
        let begun = self.clock.now();
        for _ in 0..60_000 {
            if self.store.waiting(None, 1).await.unwrap().is_empty() {
                return self.clock.now().since(begun);
            }
            self.wait(Duration::from_millis(5)).await;
        }
        panic!("never settled: {:?}", self.store.waiting(None, 5).await.unwrap());
    }

    /// Opens a turn of a lane and keeps it open, as a slow neighbour does.
    pub(crate) async fn hold_lane(&self, lane: &GroupLane) -> Box<dyn Turn> {
        self.store.inner().turn(&Right::Unfenced(lane.clone()), Ask::default()).await.unwrap()
    }

    /// Waits until something is buried; says how long that took.
    pub(crate) async fn clock_until_buried(&self) -> Duration {
        let begun = self.clock.now();
        while self.counts().await.buried == 0 && self.clock.now().since(begun) < T {
            self.wait(Duration::from_millis(5)).await;
        }
        self.clock.now().since(begun)
    }

    pub(crate) async fn waiting(&self) -> Vec<Waiting> {
        self.store.waiting(None, 100).await.unwrap()
    }
}

/// All loops of a process, as one future that ends when all have ended.
pub(crate) fn running(parts: &Arc<Parts>) -> BoxFuture<'static, ()> {
    let mut all: FuturesUnordered<_> = tasks(parts).into_iter().map(|task| task.future).collect();
    Box::pin(async move { while all.next().await.is_some() {} })
}

/// Asks `source` to do something.
pub(crate) async fn ask(parts: &Parts, key: &str, say: &Do) -> Result<Reply, RequestError> {
    request(parts, "source", outside(key, say)).await
}

/// Asks `source` until it has an answer, as a patient caller does.
pub(crate) async fn request_until(house: &House, parts: &Parts, key: &str, say: &Do) {
    while ask(parts, key, say).await.is_err() {
        house.wait(Duration::from_millis(100)).await;
    }
}

/// Lets `source` send messages to `work`, in one turn; each of the same key.
pub(crate) async fn send(parts: &Parts, key: &str, says: impl IntoIterator<Item = Do>) {
    let sends = says.into_iter().map(|say| ("work".to_owned(), key.to_owned(), say)).collect();
    ask(parts, key, &Do { name: "sends".to_owned(), sends, ..Do::default() }).await.unwrap();
}

pub(crate) fn metrics(parts: &Parts) -> Metrics {
    parts.tally.read()
}

/// Plays a script in a house: `play!(house, parts, { .. })`.
macro_rules! play {
    ($house:ident, $parts:ident, $script:block) => {{
        let $house = &$house;
        $house.play(|$parts| Box::pin(async move { $script }))
    }};
}
pub(crate) use play;
