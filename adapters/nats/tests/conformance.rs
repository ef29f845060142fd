//! The suite of the port, over a real server whose address is in `OMS_TEST_NATS`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so and stops")]

use async_nats::jetstream;
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Consumer, Publish, Settlement, Stale, Token, Topology,
    },
    clock::{Clock, Timestamp},
    conformance::{
        Failure,
        broker::{Harness, Need, run},
    },
    message::{GroupLane, Limit, Pack},
};
use oms_nats::Builder;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::Runtime;

fn url() -> String {
    std::env::var("OMS_TEST_NATS").expect("OMS_TEST_NATS is missing: run `cargo xtask servers up nats`")
}

fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap()
}

struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp(micros().try_into().unwrap())
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        async move { tokio::time::sleep(time).await }.boxed()
    }
}

/// Which runtime each living consumer has to itself, by its address.
type Lives = Arc<Mutex<BTreeMap<usize, Runtime>>>;

struct Nats {
    prefix: String,
    numbers: AtomicU64,
    lives: Lives,
}

impl Nats {
    fn builder(&self) -> Builder {
        let builder = Builder::from_url(&url()).unwrap().prefix(&self.prefix);
        builder.lease(Duration::from_secs(2)).timeout(Duration::from_secs(5))
    }
}

/// Gives each consumer a connection and a runtime of its own, so that it can be killed.
struct Killable {
    broker: Arc<dyn Broker>,
    builder: Builder,
    lives: Lives,
}

struct Mortal {
    consumer: Option<Box<dyn Consumer>>,
    lives: Lives,
    /// Not of size zero, so that each has an address of its own.
    _number: u64,
}

impl Mortal {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).cast::<()>() as usize
    }

    fn inner(&mut self) -> &mut Box<dyn Consumer> {
        self.consumer.as_mut().unwrap()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        drop(self.consumer.take());
        let life = self.lives.lock().unwrap().remove(&self.address());
        // What was dropped still says so to the server.
        if let Some(life) = life {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(2));
                life.shutdown_background();
            });
        }
    }
}

#[async_trait]
impl Broker for Killable {
    fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.broker.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.broker.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        drop(self.broker.subscribe(lane, window).await?);
        let life =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (builder, lane) = (self.builder.clone(), lane.clone());
        let joined = life.spawn(async move { builder.connect().await?.subscribe(&lane, window).await });
        let joined = joined.await.unwrap();
        match joined {
            Ok(consumer) => {
                let lives = Arc::clone(&self.lives);
                let mortal = Box::new(Mortal { consumer: Some(consumer), lives, _number: 1 });
                self.lives.lock().unwrap().insert(mortal.address(), life);
                Ok(mortal)
            }
            Err(error) => {
                life.shutdown_background();
                Err(error)
            }
        }
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.broker.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.broker.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.broker.shutdown(drain).await
    }
}

#[async_trait]
impl Consumer for Mortal {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        self.inner().next_batch(limit).await
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        self.inner().settle(token, settlement)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.inner().flush().await
    }

    async fn close(mut self: Box<Self>) -> Result<usize, BrokerError> {
        self.consumer.take().unwrap().close().await
    }
}

#[async_trait]
impl Harness for Nats {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock)
    }

    fn unique(&self) -> String {
        format!("n{}", self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        let (builder, lives) = (self.builder(), Arc::clone(&self.lives));
        let broker = builder.clone().connect().await?;
        Ok(Arc::new(Killable { broker, builder, lives }))
    }

    fn absent(&self) -> Vec<Need> {
        vec![Need::PushBack]
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        let address = std::ptr::from_ref(&*consumer).cast::<()>() as usize;
        let life = self.lives.lock().unwrap().remove(&address).unwrap();
        life.shutdown_background();
        std::mem::forget(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(format!("wiping: {error}"));
        let client = async_nats::connect(url()).await.map_err(|error| failed(&error))?;
        let context = jetstream::new(client);
        let mut names = context.stream_names();
        while let Some(name) = names.next().await {
            let name = name.map_err(|error| failed(&error))?;
            if name.starts_with(&self.prefix) {
                context.delete_stream(&name).await.map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }

    fn lane_bytes(&self) -> usize {
        0
    }

    fn long_turn(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_keeps_every_sentence_of_the_contract() {
    let prefix = format!("suite{}", micros());
    let nats = Nats { prefix, numbers: AtomicU64::new(0), lives: Lives::default() };
    let report = run(&nats).await.unwrap();
    let failed = report.failed().count();
    let _ = nats.wipe().await;
    println!("{report}");
    assert_eq!(failed, 0, "{report}");
}

#[tokio::test]
async fn an_address_where_nobody_is_is_unavailable_within_the_time_out() {
    let asked = Builder::new("127.0.0.1:1").timeout(Duration::from_secs(2)).connect();
    let answer = tokio::time::timeout(Duration::from_secs(4), asked).await.unwrap();
    assert!(matches!(answer.err().unwrap(), BrokerError::Unavailable { .. }));
}
