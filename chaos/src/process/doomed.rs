//! A broker that kills its own process at a moment that it alone sees.

use crate::moment::Moment;
use async_trait::async_trait;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Consumer, Publish, Settlement, Stale, Token, Topology,
    },
    message::{GroupLane, Limit, Pack},
};
use rustix::process::{Signal, getpid, kill_process};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// When this process is to die; not yet, at first.
#[derive(Default)]
pub(super) struct Doom(Mutex<Option<Moment>>);

impl Doom {
    pub(super) fn at(&self, moment: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment);
    }

    /// Ends the process, as `kill -9` does, if this is its moment.
    fn comes(&self, moment: Moment) {
        if *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(moment) {
            // A process may always send itself a signal.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }
}

/// A broker, and the death that waits at it.
pub(super) struct Doomed {
    broker: Arc<dyn Broker>,
    doom: Arc<Doom>,
}

impl Doomed {
    pub(super) fn new(broker: Arc<dyn Broker>, doom: Arc<Doom>) -> Self {
        Self { broker, doom }
    }
}

#[async_trait]
impl Broker for Doomed {
    fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.broker.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let published = self.broker.publish(packs).await;
        if published.is_ok() {
            self.doom.comes(Moment::Published);
        }
        published
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let consumer = self.broker.subscribe(lane, window).await?;
        Ok(Box::new(Reader { consumer, doom: Arc::clone(&self.doom) }))
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

/// Settles what a turn has made durable, unless the process dies just before.
struct Reader {
    consumer: Box<dyn Consumer>,
    doom: Arc<Doom>,
}

#[async_trait]
impl Consumer for Reader {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        self.consumer.next_batch(limit).await
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        if settlement == Settlement::Ack {
            self.doom.comes(Moment::Committed);
        }
        self.consumer.settle(token, settlement)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.consumer.flush().await
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.consumer.close().await
    }
}
