//! The outside world of a bench: it answers at once, and keeps nothing of an order that has gone through it.

use async_trait::async_trait;
use oms_core::{
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        carrier::{CarrierReport, CarrierRequest},
        notifier::{NotifierReport, NotifierRequest},
        payment::{PaymentReport, PaymentRequest, PaymentStep},
    },
    id::Name,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How many calls each door takes at once.
const AT_ONCE: usize = 64;
/// How long a customer takes to approve a charge: longer than any run.
const APPROVAL: Duration = Duration::from_secs(48 * 3_600);

/// What the world was told, counted; telling it twice counts twice.
#[derive(Debug, Default)]
pub struct World {
    authorised: AtomicU64,
    captured: AtomicU64,
    booked: AtomicU64,
    mailed: AtomicU64,
    /// Parcels on their way, with the last word the carrier said of each.
    parcels: Mutex<HashMap<Name, Stage>>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Booked,
    Dispatched,
}

/// How often each thing was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Authorisations.
    pub authorised: u64,
    /// Captures.
    pub captured: u64,
    /// Parcels.
    pub booked: u64,
    /// Notices.
    pub mailed: u64,
}

impl World {
    /// How often each thing was done so far.
    #[must_use]
    pub fn deeds(&self) -> Deeds {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Deeds {
            authorised: read(&self.authorised),
            captured: read(&self.captured),
            booked: read(&self.booked),
            mailed: read(&self.mailed),
        }
    }

    /// Says the next word about a parcel: booked, dispatched, delivered, as a real carrier does.
    fn parcel(&self, key: &EffectKey) -> Reported<CarrierReport> {
        let mut parcels = self.parcels.lock().unwrap_or_else(PoisonError::into_inner);
        let tracking = format!("T{}", key.order);
        match parcels.get(&key.order).copied() {
            None => {
                parcels.insert(key.order.clone(), Stage::Booked);
                Reported::open(CarrierReport::Booked { tracking }, Duration::ZERO)
            }
            Some(Stage::Booked) => {
                parcels.insert(key.order.clone(), Stage::Dispatched);
                Reported::open(CarrierReport::Dispatched { tracking }, Duration::ZERO)
            }
            Some(Stage::Dispatched) => {
                parcels.remove(&key.order);
                Reported::settled(CarrierReport::Delivered { tracking, collected: None })
            }
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// A payment provider that says yes to cards, and waits for the customer of a direct charge.
pub struct Provider(pub Arc<World>);

#[async_trait]
impl Port for Provider {
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn tell(
        &self,
        key: &EffectKey,
        request: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        match request.wish {
            PaymentStep::Authorise => count(&self.0.authorised),
            PaymentStep::Capture => count(&self.0.captured),
            PaymentStep::Charge | PaymentStep::Void | PaymentStep::Refund => {}
        }
        Ok(said(key, request.wish))
    }

    /// What it said when it was told; it keeps nothing, and need not, for it always says the same.
    async fn ask(
        &self,
        key: &EffectKey,
        request: &PaymentRequest,
    ) -> Result<Option<Reported<PaymentReport>>, NoAnswer> {
        Ok(Some(said(key, request.wish)))
    }
}

fn said(key: &EffectKey, wish: PaymentStep) -> Reported<PaymentReport> {
    let reference = format!("p-{}", key.order);
    match wish {
        PaymentStep::Authorise => Reported::settled(PaymentReport::Authorised { reference }),
        PaymentStep::Capture => Reported::settled(PaymentReport::Captured { reference }),
        PaymentStep::Charge => Reported::open(PaymentReport::ActionRequired, APPROVAL),
        PaymentStep::Void => Reported::settled(PaymentReport::Voided { reference }),
        PaymentStep::Refund => Reported::settled(PaymentReport::Refunded { reference }),
    }
}

/// A carrier that takes every parcel.
pub struct Carrier(pub Arc<World>);

#[async_trait]
impl Port for Carrier {
    type Request = CarrierRequest;
    type Report = CarrierReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn tell(
        &self,
        key: &EffectKey,
        request: &CarrierRequest,
    ) -> Result<Reported<CarrierReport>, NoAnswer> {
        Ok(match request {
            CarrierRequest::Book { .. } => {
                count(&self.0.booked);
                self.0.parcel(key)
            }
            CarrierRequest::Cancel => Reported::settled(CarrierReport::Cancelled),
        })
    }

    async fn ask(
        &self,
        key: &EffectKey,
        _: &CarrierRequest,
    ) -> Result<Option<Reported<CarrierReport>>, NoAnswer> {
        Ok(Some(self.0.parcel(key)))
    }
}

/// A notifier that sends everything.
pub struct Notifier(pub Arc<World>);

#[async_trait]
impl Port for Notifier {
    type Request = NotifierRequest;
    type Report = NotifierReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn tell(&self, _: &EffectKey, _: &NotifierRequest) -> Result<Reported<NotifierReport>, NoAnswer> {
        count(&self.0.mailed);
        Ok(Reported::settled(NotifierReport::Sent))
    }

    async fn ask(
        &self,
        _: &EffectKey,
        _: &NotifierRequest,
    ) -> Result<Option<Reported<NotifierReport>>, NoAnswer> {
        Ok(Some(Reported::settled(NotifierReport::Sent)))
    }
}
