//! A server in this process that forgets everything whenever it is killed.

use super::port::Server;
use crate::failure::Failure;
use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, MemoryBroker, Publish, Topology},
    message::{GroupLane, Limit, Pack},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The worst server there can be, for the harness's own proof: it answers nothing while it is dead, and comes back empty.
#[derive(Default)]
pub struct Forgetful {
    broker: MemoryBroker,
    dead: Arc<AtomicBool>,
}

#[async_trait]
impl Server for Forgetful {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, Failure> {
        Ok(Arc::new(Connection { broker: self.broker.another(), dead: Arc::clone(&self.dead) }))
    }

    async fn kill(&self) -> Result<(), Failure> {
        self.dead.store(true, Ordering::SeqCst);
        self.broker.wipe();
        Ok(())
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.broker.wipe();
        Ok(())
    }

    async fn start(&self) -> Result<(), Failure> {
        self.dead.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// A connection that fails while the server is dead.
struct Connection {
    broker: MemoryBroker,
    dead: Arc<AtomicBool>,
}

impl Connection {
    fn alive(&self) -> Result<(), BrokerError> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(BrokerError::Unavailable {
                broker: "memory",
                source: "its server was killed".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Broker for Connection {
    /// It says that it outlives this process, and so the relay keeps a cursor: the more is lost with each death.
    fn capabilities(&self) -> Capabilities {
        Capabilities { outlives_process: true, ..self.broker.capabilities() }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.alive()?;
        self.broker.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.alive()?;
        self.broker.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.alive()?;
        self.broker.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.alive()?;
        self.broker.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.alive()?;
        self.broker.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.broker.shutdown(drain).await
    }
}
