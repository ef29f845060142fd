//! A server whose consumers come late: by then something is owed to them.

use async_trait::async_trait;
use oms_chaos::{Failure, server::Server};
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, Publish, Topology},
    message::{GroupLane, Limit, Pack},
};
use std::{sync::Arc, time::Duration};

/// How late.
const LATE: Duration = Duration::from_millis(700);

pub(crate) struct Late(Arc<dyn Server>);

impl Late {
    pub(crate) fn new(server: Arc<dyn Server>) -> Self {
        Self(server)
    }
}

#[async_trait]
impl Server for Late {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, Failure> {
        Ok(Arc::new(Connection(self.0.connect().await?)))
    }

    async fn kill(&self) -> Result<(), Failure> {
        self.0.kill().await
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.0.wipe().await
    }

    async fn start(&self) -> Result<(), Failure> {
        self.0.start().await
    }
}

struct Connection(Arc<dyn Broker>);

#[async_trait]
impl Broker for Connection {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.0.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.0.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        tokio::time::sleep(LATE).await;
        self.0.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.0.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.0.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.0.shutdown(drain).await
    }
}
