//! A wire between a broker of this process and those who come from afar, with weather of its own.

use crate::planted::Fault;
use async_trait::async_trait;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Consumer, Publish, Settlement, Stale, Token, Topology,
    },
    clock::Clock,
    conformance::broker::Weather,
    message::{GroupLane, Limit, Pack},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// How long those from afar wait for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

type Slot = Arc<Mutex<Option<Box<dyn Consumer>>>>;

/// The weather, and who is out in it.
pub(crate) struct Sky {
    weather: Mutex<Weather>,
    was_bad: AtomicBool,
    live: AtomicUsize,
    readers: Mutex<Vec<Slot>>,
    fault: Option<Fault>,
    clock: Arc<dyn Clock>,
}

impl Sky {
    pub(crate) fn new(fault: Option<Fault>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (weather, was_bad, live, readers) = Default::default();
        Arc::new(Self { weather, was_bad, live, readers, fault, clock })
    }

    /// A connection over this wire.
    pub(crate) fn connect(self: &Arc<Self>, broker: Arc<dyn Broker>) -> Arc<dyn Broker> {
        self.live.fetch_add(1, SeqCst);
        Arc::new(Afar { broker, sky: Arc::clone(self) })
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }

    /// In bad weather, readers are taken for dead.
    pub(crate) fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
        if matches!(weather, Weather::Clear | Weather::Late(_)) {
            return;
        }
        self.was_bad.store(true, SeqCst);
        if self.fault != Some(Fault::KeepsTheDead) {
            self.readers.lock().unwrap().drain(..).for_each(|slot| drop(slot.lock().unwrap().take()));
        }
    }

    fn now(&self) -> Weather {
        let weather = *self.weather.lock().unwrap();
        let away = self.fault == Some(Fault::StaysAway) && self.was_bad.load(SeqCst);
        if away && weather == Weather::Clear { Weather::Cut } else { weather }
    }

    /// Goes to the server and back, as far as the weather allows.
    async fn pass(&self) -> Result<(), BrokerError> {
        match self.now() {
            Weather::Clear => return Ok(()),
            Weather::Late(time) => {
                self.clock.sleep(time).await;
                return Ok(());
            }
            Weather::Cut => {}
            Weather::Stall | Weather::Deaf => self.clock.sleep(PATIENCE).await,
        }
        Err(away())
    }
}

fn away() -> BrokerError {
    BrokerError::Unavailable { broker: "afar", source: "the wire carries nothing".into() }
}

struct Afar {
    broker: Arc<dyn Broker>,
    sky: Arc<Sky>,
}

impl Drop for Afar {
    fn drop(&mut self) {
        if self.sky.fault != Some(Fault::LeavesWires) {
            self.sky.live.fetch_sub(1, SeqCst);
        }
    }
}

#[async_trait]
impl Broker for Afar {
    fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.sky.pass().await?;
        self.broker.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let count = packs.len();
        let weather = self.sky.now();
        let silent = matches!(weather, Weather::Stall | Weather::Deaf | Weather::Cut);
        match self.sky.fault {
            Some(Fault::ConfirmsInSilence) if silent => return Ok(vec![Publish::Confirmed; count]),
            Some(Fault::HangsInSilence) if silent => futures::future::pending::<()>().await,
            Some(Fault::LosesInLateness) if matches!(weather, Weather::Late(_)) => {
                return Ok(vec![Publish::Unknown; count]);
            }
            _ => {}
        }
        match weather {
            Weather::Stall | Weather::Deaf => {
                if weather == Weather::Deaf {
                    self.broker.publish(packs).await?;
                }
                self.sky.clock.sleep(PATIENCE).await;
                Ok(vec![Publish::Unknown; count])
            }
            Weather::Clear | Weather::Cut | Weather::Late(_) => {
                self.sky.pass().await?;
                self.broker.publish(packs).await
            }
        }
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.sky.pass().await?;
        let slot = Arc::new(Mutex::new(Some(self.broker.subscribe(lane, window).await?)));
        self.sky.readers.lock().unwrap().push(Arc::clone(&slot));
        Ok(Box::new(AfarConsumer { slot, sky: Arc::clone(&self.sky) }))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.sky.pass().await?;
        self.broker.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.sky.pass().await?;
        self.broker.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.broker.shutdown(drain).await
    }
}

struct AfarConsumer {
    slot: Slot,
    sky: Arc<Sky>,
}

impl AfarConsumer {
    fn take(&self) -> Result<Box<dyn Consumer>, BrokerError> {
        self.slot.lock().unwrap().take().ok_or_else(away)
    }

    fn put(&self, consumer: Box<dyn Consumer>) {
        *self.slot.lock().unwrap() = Some(consumer);
    }
}

#[async_trait]
impl Consumer for AfarConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        self.sky.pass().await?;
        let mut consumer = self.take()?;
        let batch = consumer.next_batch(limit).await;
        self.put(consumer);
        batch
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        self.slot.lock().unwrap().as_mut().ok_or(Stale)?.settle(token, settlement)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.sky.pass().await?;
        let mut consumer = self.take()?;
        let flushed = consumer.flush().await;
        self.put(consumer);
        flushed
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        self.sky.pass().await?;
        let consumer = self.take()?;
        consumer.close().await
    }
}

impl Drop for AfarConsumer {
    fn drop(&mut self) {
        drop(self.slot.lock().unwrap().take());
    }
}
