//! A broker that has everything at once, and brings nothing.

use async_trait::async_trait;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Confirm, Consumer, Publish, Settlement, Stale, Token,
        Topology,
    },
    message::{GroupLane, Limit, Pack},
};
use std::{
    future::pending,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Confirms whatever it is given, and counts it.
#[derive(Default)]
pub struct Nowhere(AtomicU64);

impl Nowhere {
    /// Messages that it was given so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until it was given so many.
    pub async fn has(&self, messages: u64) {
        while self.messages() < messages {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

#[async_trait]
impl Broker for Nowhere {
    /// It dies with the process, so that the next one is told everything again.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "nowhere",
            confirm: Confirm::Memory,
            outlives_process: false,
            exact_lag: true,
            exclusive_reader: true,
            max_bytes: usize::MAX,
        }
    }

    async fn declare(&self, _: &Topology) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let messages: usize = packs.iter().map(|pack| pack.keys.len()).sum();
        self.0.fetch_add(messages as u64, Ordering::SeqCst);
        Ok(vec![Publish::Confirmed; packs.len()])
    }

    async fn subscribe(&self, _: &GroupLane, _: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        Ok(Box::new(Silence))
    }

    async fn lag(&self, _: &GroupLane) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn shutdown(&self, _: Duration) -> Result<(), BrokerError> {
        Ok(())
    }
}

/// Nothing ever comes.
struct Silence;

#[async_trait]
impl Consumer for Silence {
    async fn next_batch(&mut self, _: Limit) -> Result<Batch, BrokerError> {
        pending().await
    }

    fn settle(&mut self, _: Token, _: Settlement) -> Result<(), Stale> {
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        Ok(0)
    }
}
