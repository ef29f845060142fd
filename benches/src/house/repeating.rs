//! A broker that delivers some packs twice: the copy comes behind the packs of a later publish.

use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, Publish, Topology},
    message::{GroupLane, Limit, Pack},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A broker that repeats itself.
pub struct Repeating {
    broker: Arc<dyn Broker>,
    percent: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    published: u64,
    copied: u64,
    late: Vec<Pack>,
}

impl Repeating {
    /// Lets `broker` deliver `percent` of all packs twice.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>, percent: u64) -> Self {
        Self { broker, percent, state: Mutex::default() }
    }

    /// Puts the copies that are due behind the packs, and keeps copies of some of them for later; says how many packs are
    /// originals.
    fn mix(&self, packs: &mut Vec<Pack>) -> usize {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due = std::mem::take(&mut state.late);
        let originals = packs.len();
        for pack in packs.iter() {
            state.published += 1;
            // Evenly spread, so that any share of the packs is met without chance.
            if state.published * self.percent / 100 > state.copied {
                state.copied += 1;
                state.late.push(pack.clone());
            }
        }
        packs.extend(due);
        originals
    }
}

#[async_trait]
impl Broker for Repeating {
    fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.broker.declare(topology).await
    }

    async fn publish(&self, mut packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let originals = self.mix(&mut packs);
        let mut answers = self.broker.publish(packs).await?;
        answers.truncate(originals);
        Ok(answers)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.broker.subscribe(lane, window).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use oms_core::{broker::MemoryBroker, message::PackId};

    fn packs(from: u64, count: u64) -> Vec<Pack> {
        let pack = |position| Pack {
            id: PackId { sender: GroupLane::new("order", 0), position },
            topic: "placed".into(),
            lane: 0,
            keys: vec![1],
            bytes: "[]".into(),
        };
        (from..from + count).map(pack).collect()
    }

    #[test]
    fn the_share_that_was_asked_for_comes_twice_and_later() {
        let broker = Repeating::new(Arc::new(MemoryBroker::default()), 10);
        let mut first = packs(1, 100);
        assert_eq!((broker.mix(&mut first), first.len()), (100, 100));
        let mut second = packs(101, 50);
        assert_eq!((broker.mix(&mut second), second.len()), (50, 60));
        assert!(second[50..].iter().all(|copy| copy.id.position <= 100));
    }

    #[test]
    fn a_share_of_nothing_repeats_nothing() {
        let broker = Repeating::new(Arc::new(MemoryBroker::default()), 0);
        broker.mix(&mut packs(1, 1_000));
        let mut last = packs(1_001, 1);
        assert_eq!((broker.mix(&mut last), last.len()), (1, 1));
    }
}
