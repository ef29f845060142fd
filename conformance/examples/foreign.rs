//! The suite over an adapter of your own: `cargo run --package oms-conformance --no-default-features --example foreign`.
//!
//! Here the adapter counts what it carries and hands everything to the broker of this process; yours talks to your server. The
//! harness says how the suite connects, and what it cannot do to the server is declared absent, so that the report names it.

use async_trait::async_trait;
use oms_broker::{Broker, BrokerError, Clock, Consumer, MemoryBroker, SystemClock, Topology};
use oms_core::{
    broker::{Capabilities, Publish},
    conformance::{
        Failure,
        broker::{End, Harness, Need, Weather, run},
    },
    message::{GroupLane, Limit, Pack},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// An adapter: everything that the port asks for.
struct Counting {
    inner: MemoryBroker,
    carried: Arc<AtomicU64>,
}

#[async_trait]
impl Broker for Counting {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "counting", ..self.inner.capabilities() }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.carried.fetch_add(packs.len() as u64, Ordering::Relaxed);
        self.inner.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.inner.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.inner.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.inner.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.inner.shutdown(drain).await
    }
}

/// Says how the suite reaches it.
#[derive(Default)]
struct Bench {
    server: MemoryBroker,
    carried: Arc<AtomicU64>,
    names: AtomicU64,
}

#[async_trait]
impl Harness for Bench {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn unique(&self) -> String {
        format!("t{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        Ok(Arc::new(Counting { inner: self.server.another(), carried: Arc::clone(&self.carried) }))
    }

    fn absent(&self) -> Vec<Need> {
        vec![Need::Wire, Need::Pause, Need::Restart, Need::PushBack]
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        drop(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.server.wipe();
        Ok(())
    }

    async fn restart(&self, _: End) -> Result<(), Failure> {
        Err(Failure::new("there is no server to start"))
    }

    async fn pause(&self, _: bool) -> Result<(), Failure> {
        Err(Failure::new("there is no server to stop"))
    }

    async fn afar(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        Err(BrokerError::Refused { broker: "counting", why: "there is no wire".to_owned() })
    }

    async fn weather(&self, _: Weather) {}

    fn wires(&self) -> usize {
        0
    }

    fn lane_bytes(&self) -> usize {
        usize::MAX
    }

    fn long_turn(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[tokio::main]
async fn main() -> Result<(), BrokerError> {
    let bench = Bench::default();
    let report = run(&bench).await?;
    print!("{report}");
    let (passed, failed) = (report.passed(), report.failed().count());
    println!(
        "{passed} of {} checks passed, {failed} failed; {} packs were carried",
        report.lines.len(),
        bench.carried.load(Ordering::Relaxed)
    );
    if failed == 0 {
        Ok(())
    } else {
        Err(BrokerError::Refused { broker: "counting", why: "it does not keep its promises".to_owned() })
    }
}
