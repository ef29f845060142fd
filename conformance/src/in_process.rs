//! The harness that gives the suite the broker of this process.

use async_trait::async_trait;
use oms_broker::{Broker, BrokerError, Clock, Consumer, MemoryBroker, MemoryLimits, SystemClock};
use oms_core::conformance::{
    Failure,
    broker::{End, Harness, Need, Weather},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Small, so that pushing back is reached soon.
const LIMITS: MemoryLimits = MemoryLimits { pack: 64 << 10, lane: 256 << 10, total: 1 << 20 };

/// The broker in this process: it has no wire, and a process that is stopped stops with it.
pub struct InProcess {
    broker: MemoryBroker,
    names: AtomicU64,
}

impl Default for InProcess {
    fn default() -> Self {
        Self { broker: MemoryBroker::new(LIMITS), names: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Harness for InProcess {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn unique(&self) -> String {
        // The check before has ended, and what it left would fill this small broker.
        self.broker.wipe();
        format!("t{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        Ok(Arc::new(self.broker.another()))
    }

    fn absent(&self) -> Vec<Need> {
        vec![Need::Wire, Need::Pause]
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        drop(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.broker.wipe();
        Ok(())
    }

    async fn restart(&self, _: End) -> Result<(), Failure> {
        // It holds nothing but memory.
        self.wipe().await
    }

    async fn pause(&self, _: bool) -> Result<(), Failure> {
        Err(Failure::new("the broker stops with this process only"))
    }

    async fn afar(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        let why = "the broker of a process is not afar".to_owned();
        Err(BrokerError::Refused { broker: "memory", why })
    }

    async fn weather(&self, _: Weather) {}

    fn wires(&self) -> usize {
        0
    }

    fn lane_bytes(&self) -> usize {
        LIMITS.lane
    }

    fn long_turn(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}
