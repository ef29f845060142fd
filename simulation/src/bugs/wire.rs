//! Bugs around the broker.

use async_trait::async_trait;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Consumer, Delivery, Publish, Settlement, Stale, Token,
        Topology,
    },
    message::{GroupLane, Limit, Pack},
};
use std::{sync::Arc, time::Duration};

/// What is wrong with a broker's client.
pub(super) enum Wrong {
    /// It acks what it hands out.
    AckBeforeCommit,
    /// It declares these groups only.
    OwnTopologyOnly(Vec<&'static str>),
}

/// A broker's client with something wrong.
pub(super) struct Client {
    pub(super) inside: Arc<dyn Broker>,
    pub(super) wrong: Wrong,
}

#[async_trait]
impl Broker for Client {
    fn capabilities(&self) -> Capabilities {
        self.inside.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        let mut declared = topology.clone();
        if let Wrong::OwnTopologyOnly(own) = &self.wrong {
            declared.hears.retain(|group, _| own.contains(&&**group));
        }
        self.inside.declare(&declared).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.inside.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let inside = self.inside.subscribe(lane, window).await?;
        Ok(match self.wrong {
            Wrong::AckBeforeCommit => Box::new(Hasty(inside)),
            Wrong::OwnTopologyOnly(_) => inside,
        })
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.inside.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.inside.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.inside.shutdown(drain).await
    }
}

/// Acks what it hands out.
struct Hasty(Box<dyn Consumer>);

#[async_trait]
impl Consumer for Hasty {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        let mut batch = self.0.next_batch(limit).await?;
        for Delivery { token, .. } in &mut batch.deliveries {
            let number = token.number();
            // The broker may have taken the lane away meanwhile.
            let _ = self.0.settle(std::mem::replace(token, Token::new(number)), Settlement::Ack);
        }
        Ok(batch)
    }

    fn settle(&mut self, _: Token, _: Settlement) -> Result<(), Stale> {
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.0.flush().await
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.0.close().await
    }
}
