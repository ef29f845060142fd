//! A broker that does one thing wrong.

use async_trait::async_trait;
use bytes::Bytes;
use oms_core::{
    broker::{
        Batch, Broker, BrokerError, Capabilities, Confirm, Consumer, Delivery, MemoryBroker, Publish,
        Settlement, Stale, Token, Topology,
    },
    message::{GroupLane, Limit, Pack},
};
use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    DropsAPack,
    Duplicates,
    Reorders,
    FlipsAByte,
    ConfirmsBeforeStoring,
    OneAnswerShort,
    LosesUnroutable,
    TakesAnySize,
    MixesLanes,
    SettlesPastOneInFlight,
    LeaksOnDrop,
    ForgetsOnClose,
    AcksOnRelease,
    AcksOnTake,
    SettlesTwice,
    ForgetsSettlements,
    NeverCaughtUp,
    AlwaysCaughtUp,
    CaughtUpAgain,
    NoWindow,
    LosesOnDroppedWait,
    WrongLag,
    Unbounded,
    FullForGood,
    NeverCloses,
    DeclaresDifferent,
    HidesLoss,
    ProbeFails,
    CapabilitiesChange,
    SubscribesAnywhere,
    HangsInSecondShutdown,
    ConfirmsInSilence,
    HangsInSilence,
    StaysAway,
    KeepsTheDead,
    LeavesWires,
    LosesInLateness,
    SaysItKeeps,
    NeverBack,
}
use Fault::*;

/// Each fault, and checks that must see it.
pub(crate) const FAULTS: &[(Fault, &[&str])] = &[
    (DropsAPack, &["D1", "D2", "D13", "G1", "G6", "O1", "O4"]),
    (Duplicates, &["D1", "D6", "D12", "G2"]),
    (Reorders, &["D1", "D12", "O1", "O4"]),
    (FlipsAByte, &["D3"]),
    (ConfirmsBeforeStoring, &["D1", "D13"]),
    (OneAnswerShort, &["D1", "D7"]),
    (LosesUnroutable, &["D7", "D8"]),
    (TakesAnySize, &["D7", "D11"]),
    (MixesLanes, &["G2", "O4"]),
    (SettlesPastOneInFlight, &["S2"]),
    (LeaksOnDrop, &["G4", "S7", "O2", "L6"]),
    (ForgetsOnClose, &["L2"]),
    (AcksOnRelease, &["S1", "D6r", "S5"]),
    (AcksOnTake, &["G4", "S7", "L3", "M2"]),
    (SettlesTwice, &["S5"]),
    (ForgetsSettlements, &["S6", "M2"]),
    (NeverCaughtUp, &["G8", "D1"]),
    (AlwaysCaughtUp, &["G8"]),
    (CaughtUpAgain, &["G8o", "S3"]),
    (NoWindow, &["O3", "O3b"]),
    (LosesOnDroppedWait, &["L5"]),
    (WrongLag, &["M2", "M3", "M3i"]),
    (Unbounded, &["B1", "B2"]),
    (FullForGood, &["B1"]),
    (NeverCloses, &["L1"]),
    (DeclaresDifferent, &["L7d"]),
    (HidesLoss, &["G7", "S4"]),
    (ProbeFails, &["M4"]),
    (CapabilitiesChange, &["M5"]),
    (SubscribesAnywhere, &["G9"]),
    (HangsInSecondShutdown, &["L4"]),
    (ConfirmsInSilence, &["D10u", "F3", "F3s", "F6"]),
    (HangsInSilence, &["F3s", "F6"]),
    (StaysAway, &["D10u", "F3", "F3s", "F5", "F6"]),
    (KeepsTheDead, &["F7"]),
    (LeavesWires, &["F5", "L6c"]),
    (LosesInLateness, &["F3d"]),
    (SaysItKeeps, &["D9", "F1", "F2"]),
    (NeverBack, &["G7", "F8"]),
];

pub(crate) struct Faulty {
    broker: Arc<MemoryBroker>,
    fault: Fault,
    late: Mutex<Vec<Pack>>,
    asked: AtomicUsize,
    forgot: Arc<AtomicBool>,
}

impl Faulty {
    pub(crate) fn new(broker: Arc<MemoryBroker>, fault: Fault, forgot: Arc<AtomicBool>) -> Self {
        Self { broker, fault, late: Mutex::default(), asked: AtomicUsize::new(0), forgot }
    }

    /// What is published in place of `packs`.
    fn spoil(&self, packs: &mut Vec<Pack>) {
        match self.fault {
            DropsAPack => drop(packs.pop()),
            Duplicates => *packs = packs.iter().flat_map(|pack| [pack.clone(), pack.clone()]).collect(),
            Reorders => packs.reverse(),
            FlipsAByte => packs.iter_mut().for_each(flip_last_byte),
            ConfirmsBeforeStoring => mem::swap(packs, &mut self.late.lock().unwrap()),
            TakesAnySize => {
                let most = self.broker.capabilities().max_bytes;
                packs.iter_mut().for_each(|pack| pack.bytes.truncate(most));
            }
            MixesLanes => packs.iter_mut().for_each(|pack| pack.lane /= 2),
            _ => {}
        }
    }
}

fn flip_last_byte(pack: &mut Pack) {
    let mut bytes = pack.bytes.to_vec();
    if let Some(last) = bytes.last_mut().filter(|last| **last == 0) {
        *last = 1;
    }
    pack.bytes = Bytes::from(bytes);
}

#[async_trait]
impl Broker for Faulty {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.broker.capabilities();
        if self.fault == CapabilitiesChange {
            capabilities.max_bytes -= self.asked.fetch_add(1, Relaxed);
        }
        if self.fault == SaysItKeeps {
            capabilities.confirm = Confirm::Fsync;
        }
        capabilities
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        if self.fault == NeverBack && self.forgot.load(SeqCst) {
            return Err(BrokerError::Unavailable { broker: "faulty", source: "planted".into() });
        }
        let declared = self.broker.declare(topology).await;
        if self.fault == DeclaresDifferent { Ok(()) } else { declared }
    }

    async fn publish(&self, mut packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let count = packs.len();
        self.spoil(&mut packs);
        let mut answers = self.broker.publish(packs).await?;
        answers.resize(count, Publish::Confirmed);
        for answer in &mut answers {
            let Publish::Rejected { for_good, .. } = answer else { continue };
            match self.fault {
                FullForGood => *for_good = true,
                LosesUnroutable if *for_good => *answer = Publish::Confirmed,
                Unbounded if !*for_good => *answer = Publish::Confirmed,
                _ => {}
            }
        }
        if self.fault == OneAnswerShort {
            answers.pop();
        }
        Ok(answers)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let wide = Limit { messages: usize::MAX, bytes: usize::MAX };
        let window = if self.fault == NoWindow { wide } else { window };
        let consumer = Some(self.broker.subscribe(lane, window).await?);
        Ok(Box::new(FaultyConsumer { consumer, fault: self.fault, open: Vec::new(), delivered: 0 }))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        let lag = match self.broker.lag(lane).await {
            Err(BrokerError::Refused { .. }) if self.fault == SubscribesAnywhere => 0,
            other => other?,
        };
        Ok(if self.fault == WrongLag { lag + 1 } else { lag })
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        if self.fault == ProbeFails {
            return Err(BrokerError::Unavailable { broker: "faulty", source: "planted".into() });
        }
        self.broker.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        if self.fault == HangsInSecondShutdown && self.asked.fetch_add(1, Relaxed) > 0 {
            futures::future::pending::<()>().await;
        }
        if self.fault == NeverCloses { Ok(()) } else { self.broker.shutdown(drain).await }
    }
}

struct FaultyConsumer {
    consumer: Option<Box<dyn Consumer>>,
    fault: Fault,
    /// The tokens of what is in flight.
    open: Vec<u64>,
    delivered: usize,
}

impl FaultyConsumer {
    fn inner(&mut self) -> &mut Box<dyn Consumer> {
        self.consumer.as_mut().unwrap()
    }

    fn ack(&mut self, token: u64) {
        let _ = self.inner().settle(Token::new(token), Settlement::Ack);
    }
}

#[async_trait]
impl Consumer for FaultyConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        let fault = self.fault;
        let before = self.delivered;
        if fault == CaughtUpAgain && before > 0 {
            let next = futures::FutureExt::now_or_never(self.inner().next_batch(limit));
            let silent = Batch { deliveries: Vec::new(), caught_up: true };
            return next.unwrap_or(Ok(silent));
        }
        let mut batch = loop {
            match self.inner().next_batch(limit).await {
                Err(_) if fault == HidesLoss => futures::future::pending::<()>().await,
                Ok(batch) if fault == NeverCaughtUp && batch.deliveries.is_empty() => {}
                other => break other?,
            }
        };
        if fault == LosesOnDroppedWait {
            yield_once().await;
        }
        self.delivered += batch.deliveries.len();
        self.open.extend(batch.deliveries.iter().map(|delivery: &Delivery| delivery.token.number()));
        batch.caught_up = match fault {
            AlwaysCaughtUp => true,
            NeverCaughtUp => false,
            _ => batch.caught_up,
        };
        if fault == AcksOnTake {
            batch.deliveries.iter().for_each(|delivery| self.ack(delivery.token.number()));
        }
        Ok(batch)
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        let number = token.number();
        match self.fault {
            SettlesPastOneInFlight if settlement == Settlement::Ack => {
                let earlier: Vec<u64> = self.open.iter().copied().filter(|open| *open <= number).collect();
                earlier.into_iter().for_each(|open| self.ack(open));
                Ok(())
            }
            AcksOnRelease => self.inner().settle(token, Settlement::Ack),
            AcksOnTake | ForgetsSettlements => Ok(()),
            SettlesTwice => self.inner().settle(token, settlement).or(Ok(())),
            _ => self.inner().settle(token, settlement),
        }
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        let flushed = self.inner().flush().await;
        if self.fault == HidesLoss { Ok(()) } else { flushed }
    }

    async fn close(mut self: Box<Self>) -> Result<usize, BrokerError> {
        let Some(consumer) = self.consumer.take() else { return Ok(0) };
        let released = consumer.close().await?;
        Ok(if self.fault == ForgetsOnClose { 0 } else { released })
    }
}

impl Drop for FaultyConsumer {
    fn drop(&mut self) {
        if self.fault == LeaksOnDrop {
            mem::forget(self.consumer.take());
        }
    }
}

/// Waits for one poll, so that a wait can be dropped with deliveries in hand.
async fn yield_once() {
    let mut first = true;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if mem::take(&mut first) { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
}
