//! One check's surroundings: a declared topology with names of its own, packs to send, readers to ask.

use super::{
    super::report::{Failure, ensure},
    harness::Harness,
};
use crate::{
    broker::{Broker, BrokerError, Consumer, Delivery, Publish, Settlement, Topology},
    clock::Clock,
    conformance::Finding,
    id::Name,
    message::{GroupLane, Limit, Pack, PackId},
};
use bytes::Bytes;
use futures::future::{Either, select};
use std::{pin::pin, sync::Arc, time::Duration};

/// More than any check sends.
pub(super) const WIDE: Limit = Limit { messages: 1_000, bytes: 64 << 20 };

/// A limit of `messages`, however large.
pub(super) fn only(messages: usize) -> Limit {
    Limit { messages, ..WIDE }
}

pub(super) struct Scene<'a> {
    pub(super) harness: &'a dyn Harness,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) topology: Topology,
    prefix: String,
}

/// Each group with the topics it hears.
pub(super) type Hears<'h> = &'h [(&'h str, &'h [&'h str])];

/// One group, one topic: enough for most checks.
pub(super) const ONE: Hears<'static> = &[("payment", &["order"])];

impl<'a> Scene<'a> {
    pub(super) async fn open(
        harness: &'a dyn Harness,
        lanes: u16,
        hears: Hears<'_>,
    ) -> Result<Self, Failure> {
        let broker = harness.connect().await?;
        let topology = Topology { lanes, ..Topology::default() };
        let mut scene = Self { harness, broker, topology, prefix: harness.unique() };
        for (group, topics) in hears {
            let topics = topics.iter().map(|topic| scene.name(topic)).collect();
            scene.topology.hears.insert(scene.name(group), topics);
        }
        scene.broker.declare(&scene.topology).await?;
        Ok(scene)
    }

    /// The same scene over another connection.
    pub(super) fn over(&self, broker: Arc<dyn Broker>) -> Scene<'a> {
        let (topology, prefix) = (self.topology.clone(), self.prefix.clone());
        Scene { harness: self.harness, broker, topology, prefix }
    }

    pub(super) fn name(&self, base: &str) -> Name {
        Name::from(format!("{}-{base}", self.prefix))
    }

    pub(super) fn lane(&self, group: &str, lane: u16) -> GroupLane {
        GroupLane { group: self.name(group), lane }
    }

    pub(super) fn pack(&self, topic: &str, lane: u16, position: u64, bytes: impl Into<Bytes>) -> Pack {
        let id = PackId { sender: self.lane("sender", lane), position };
        Pack { id, topic: self.name(topic), lane, keys: vec![u32::from(lane)], bytes: bytes.into() }
    }

    /// Packs for lane 0 of the topic `order`, whose bytes are their own numbers.
    pub(super) fn numbered(&self, numbers: impl IntoIterator<Item = u64>) -> Vec<Pack> {
        numbers.into_iter().map(|number| self.pack("order", 0, number, text(number))).collect()
    }

    /// Publishes, and expects a confirm for each.
    pub(super) async fn send(&self, packs: Vec<Pack>) -> Finding {
        let count = packs.len();
        let answers = self.broker.publish(packs).await?;
        let confirmed = answers.len() == count && answers.iter().all(|answer| *answer == Publish::Confirmed);
        ensure(confirmed, || format!("{count} packs were published, and answered with {answers:?}"))
    }

    pub(super) async fn send_numbered(&self, numbers: impl IntoIterator<Item = u64>) -> Finding {
        self.send(self.numbered(numbers)).await
    }

    pub(super) async fn join(&self, group: &str, lane: u16, window: Limit) -> Result<Reader, BrokerError> {
        let consumer = self.broker.subscribe(&self.lane(group, lane), window).await?;
        Ok(Reader { consumer, clock: self.harness.clock() })
    }

    /// Reads lane 0 of `payment`.
    pub(super) async fn reader(&self) -> Result<Reader, BrokerError> {
        self.join("payment", 0, WIDE).await
    }

    pub(super) async fn lag(&self) -> Result<u64, BrokerError> {
        self.broker.lag(&self.lane("payment", 0)).await
    }
}

/// The bytes of a numbered pack.
pub(super) fn text(number: u64) -> Bytes {
    Bytes::from(format!("pack {number}"))
}

/// The bytes of numbered packs.
pub(super) fn texts(numbers: impl IntoIterator<Item = u64>) -> Vec<Bytes> {
    numbers.into_iter().map(text).collect()
}

/// Fails unless `got` is exactly `expected`, in that order; says how they differ without printing megabytes.
pub(super) fn same(got: &[Bytes], expected: &[Bytes]) -> Finding {
    let different = got.iter().zip(expected).position(|(got, expected)| got != expected);
    let short = |packs: &[Bytes], at: usize| packs.get(at).map(|bytes| bytes.slice(..bytes.len().min(40)));
    let at = different.unwrap_or(got.len().min(expected.len()));
    ensure(got == expected, || {
        let (g, e) = (short(got, at), short(expected, at));
        format!("{} packs came, {} expected; number {at} is {g:?}, not {e:?}", got.len(), expected.len())
    })
}

/// The bytes of deliveries.
pub(super) fn bytes(deliveries: &[Delivery]) -> Vec<Bytes> {
    deliveries.iter().map(|delivery| delivery.bytes.clone()).collect()
}

pub(super) struct Reader {
    pub(super) consumer: Box<dyn Consumer>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// Takes deliveries without settling them, until the broker has nothing more and says so.
    pub(super) async fn hold(&mut self) -> Result<Vec<Delivery>, BrokerError> {
        let mut held = Vec::new();
        loop {
            let batch = self.consumer.next_batch(WIDE).await?;
            let done = batch.deliveries.is_empty() && batch.caught_up;
            held.extend(batch.deliveries);
            if done {
                return Ok(held);
            }
        }
    }

    /// Takes deliveries without settling them, until there are `count`.
    pub(super) async fn gather(&mut self, count: usize) -> Result<Vec<Delivery>, BrokerError> {
        let mut held = Vec::new();
        while held.len() < count {
            held.extend(self.consumer.next_batch(only(count - held.len())).await?.deliveries);
        }
        Ok(held)
    }

    /// Settles each the same way.
    pub(super) fn settle(&mut self, deliveries: Vec<Delivery>, settlement: Settlement) -> Finding {
        for delivery in deliveries {
            self.consumer.settle(delivery.token, settlement)?;
        }
        Ok(())
    }

    /// Takes and acks until the broker has nothing more.
    pub(super) async fn read(&mut self) -> Result<Vec<Bytes>, Failure> {
        let mut read = Vec::new();
        loop {
            let batch = self.consumer.next_batch(WIDE).await?;
            let done = batch.deliveries.is_empty() && batch.caught_up;
            read.extend(bytes(&batch.deliveries));
            self.settle(batch.deliveries, Settlement::Ack)?;
            if done {
                self.consumer.flush().await?;
                return Ok(read);
            }
        }
    }

    /// Takes and acks until there are `count`.
    pub(super) async fn read_some(&mut self, count: usize) -> Result<Vec<Bytes>, Failure> {
        let deliveries = self.gather(count).await?;
        let read = bytes(&deliveries);
        self.settle(deliveries, Settlement::Ack)?;
        self.consumer.flush().await?;
        Ok(read)
    }

    /// Whether the broker says nothing for a second.
    pub(super) async fn waits(&mut self) -> bool {
        let sleep = self.clock.sleep(Duration::from_secs(1));
        matches!(select(pin!(self.consumer.next_batch(WIDE)), sleep).await, Either::Right(_))
    }

    /// Fails unless the broker says nothing for a second.
    pub(super) async fn quiet(&mut self) -> Finding {
        ensure(self.waits().await, || "the broker said something where there was nothing to say")
    }
}
