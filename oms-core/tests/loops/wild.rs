//! A broker that does its worst: it forgets, repeats and reorders, or is dead.

use async_trait::async_trait;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Consumer, Delivery, MemoryBroker, Publish, Settlement,
        Stale, Token, Topology,
    },
    message::{GroupLane, Limit, Pack},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a broker does wrong; by default nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ways {
    /// Confirms and forgets.
    pub(crate) forgets: bool,
    /// Publishes everything twice.
    pub(crate) repeats: bool,
    /// Keeps packs back until so many have come, and sends them in the opposite order.
    pub(crate) reverses: usize,
    /// Says that it is away, whatever it is asked.
    pub(crate) dead: bool,
    /// Says so many times that it does not know what became of a pack, which it has stored.
    pub(crate) unknown: usize,
    /// Takes so many packs of the next publish, and is full then.
    pub(crate) full_after: Option<usize>,
    /// Never takes packs of this topic.
    pub(crate) never: Option<&'static str>,
    /// Has no room for this many packs, and then for all.
    pub(crate) skips: usize,
    /// Has lost its topology, and rejects this many packs until it is declared again.
    pub(crate) unroutable: usize,
    /// Loses each subscription at once.
    pub(crate) drops: bool,
    /// Brings one delivery at a time, and never says that it has caught up.
    pub(crate) busy: bool,
}

#[derive(Default)]
struct Book {
    ways: Ways,
    kept: Vec<Pack>,
    published: Vec<Pack>,
    subscriptions: usize,
    acked: usize,
}

#[derive(Clone)]
pub(crate) struct Wild {
    pub(crate) inner: Arc<MemoryBroker>,
    book: Arc<Mutex<Book>>,
    /// Whether it says that it outlives its process.
    outlives: bool,
}

impl Wild {
    pub(crate) fn new(outlives: bool) -> Self {
        Self { inner: Arc::default(), book: Arc::default(), outlives }
    }

    pub(crate) fn ways(&self, ways: Ways) {
        self.book.lock().unwrap().ways = ways;
    }

    /// Every pack that was tried, in order, repetitions included.
    pub(crate) fn published(&self) -> Vec<Pack> {
        self.book.lock().unwrap().published.clone()
    }

    /// Delivers packs again, behind everybody's back.
    pub(crate) async fn again(&self, packs: Vec<Pack>) {
        self.inner.publish(packs).await.unwrap();
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.book.lock().unwrap().subscriptions
    }

    pub(crate) fn acked(&self) -> usize {
        self.book.lock().unwrap().acked
    }

    fn alive(&self) -> Result<Ways, BrokerError> {
        let ways = self.book.lock().unwrap().ways.clone();
        if ways.dead { Err(away()) } else { Ok(ways) }
    }

    /// What is really published of `packs`, in which order.
    fn carried(&self, packs: &[Pack]) -> Vec<Pack> {
        let mut book = self.book.lock().unwrap();
        if book.ways.forgets {
            return Vec::new();
        }
        let twice = if book.ways.repeats { 2 } else { 1 };
        let all = packs.iter().flat_map(|pack| std::iter::repeat_n(pack.clone(), twice));
        if book.ways.reverses == 0 {
            return all.collect();
        }
        book.kept.extend(packs.iter().cloned());
        if book.kept.len() < book.ways.reverses {
            return Vec::new();
        }
        let mut kept = std::mem::take(&mut book.kept);
        kept.reverse();
        kept
    }

    fn answer(&self, number: usize, pack: &Pack) -> Publish {
        let mut book = self.book.lock().unwrap();
        if book.ways.never.is_some_and(|topic| *topic == *pack.topic) {
            return Publish::Rejected { for_good: true, why: "too large".into() };
        }
        if book.ways.unroutable > 0 {
            book.ways.unroutable -= 1;
            return Publish::Rejected { for_good: true, why: "no such topic".into() };
        }
        if book.ways.skips > 0 {
            book.ways.skips -= 1;
            return Publish::Rejected { for_good: false, why: "full".into() };
        }
        if book.ways.full_after.is_some_and(|taken| number >= taken) {
            return Publish::Rejected { for_good: false, why: "full".into() };
        }
        if book.ways.unknown > 0 {
            book.ways.unknown -= 1;
            return Publish::Unknown;
        }
        Publish::Confirmed
    }
}

fn away() -> BrokerError {
    BrokerError::Unavailable { broker: "wild", source: "it is dead".into() }
}

#[async_trait]
impl Broker for Wild {
    fn capabilities(&self) -> Capabilities {
        Capabilities { outlives_process: self.outlives, ..self.inner.capabilities() }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.alive()?;
        self.inner.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.alive()?;
        self.book.lock().unwrap().published.extend(packs.iter().cloned());
        let answers: Vec<Publish> =
            packs.iter().enumerate().map(|(number, pack)| self.answer(number, pack)).collect();
        let stored = packs.into_iter().zip(&answers);
        let stored = stored.filter(|(_, answer)| !matches!(answer, Publish::Rejected { .. }));
        let stored: Vec<Pack> = stored.map(|(pack, _)| pack).collect();
        self.inner.publish(self.carried(&stored)).await?;
        Ok(answers)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.alive()?;
        self.book.lock().unwrap().subscriptions += 1;
        let inner = self.inner.subscribe(lane, window).await?;
        Ok(Box::new(WildConsumer { inner, broker: self.clone(), tokens: BTreeMap::new() }))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.inner.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.alive().map(|_| ())
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.inner.shutdown(drain).await
    }
}

struct WildConsumer {
    inner: Box<dyn Consumer>,
    broker: Wild,
    tokens: BTreeMap<u64, ()>,
}

#[async_trait]
impl Consumer for WildConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        let ways = self.broker.alive()?;
        if ways.drops {
            return Err(away());
        }
        let limit = if ways.busy { Limit { messages: 1, ..limit } } else { limit };
        let mut batch = self.inner.next_batch(limit).await?;
        self.broker.alive()?;
        batch.caught_up &= !ways.busy;
        let keep = |delivery: Delivery| {
            self.tokens.insert(delivery.token.number(), ());
            Delivery { token: Token::new(delivery.token.number()), bytes: delivery.bytes }
        };
        batch.deliveries = batch.deliveries.into_iter().map(keep).collect();
        Ok(batch)
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        self.tokens.remove(&token.number()).ok_or(Stale)?;
        if settlement == Settlement::Ack {
            self.broker.book.lock().unwrap().acked += 1;
        }
        self.inner.settle(token, settlement)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.inner.flush().await
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.inner.close().await
    }
}
