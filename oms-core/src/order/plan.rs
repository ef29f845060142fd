//! The plan of the saga as data: which steps an order takes, what each is told and undone by, and how long it may take.
//!
//! The order's machine and the executor of the saga read it; neither knows a step's place by heart.
//!
//! ```
//! use oms_core::order::plan::{RESERVE_FIRST, StepName};
//! let next = RESERVE_FIRST.after(StepName::Reserve).map(|step| step.name);
//! assert_eq!(next, Some(StepName::Pay));
//! ```

use super::facet::{Payment, Phase};
use crate::event::order::FailureReason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StepName {
    /// Hold all lines.
    #[serde(rename = "reserve")]
    Reserve,
    /// Get a guarantee of the payment.
    #[serde(rename = "pay")]
    Pay,
    /// Make the hold one that does not expire.
    #[serde(rename = "commit")]
    Commit,
    /// Send the parcel.
    #[serde(rename = "ship")]
    Ship,
    /// Take what was authorised.
    #[serde(rename = "capture")]
    Capture,
    /// Take the units off the books.
    #[serde(rename = "consume")]
    Consume,
    /// Note the cash that was collected.
    #[serde(rename = "collect")]
    Collect,
}

impl fmt::Display for StepName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            StepName::Reserve => "reserve",
            StepName::Pay => "pay",
            StepName::Commit => "commit",
            StepName::Ship => "ship",
            StepName::Capture => "capture",
            StepName::Consume => "consume",
            StepName::Collect => "collect",
        })
    }
}

/// What can be undone, and who is told to. One undo may serve several steps: a release undoes a hold and a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Undo {
    /// The inventory service gives everything back.
    #[serde(rename = "release_stock")]
    ReleaseStock,
    /// The payment service voids, refunds, or makes sure that nothing was taken.
    #[serde(rename = "cancel_payment")]
    CancelPayment,
    /// The shipping service stops the parcel, or says that it cannot.
    #[serde(rename = "cancel_shipment")]
    CancelShipment,
}

/// What is said to a participant to begin a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tell {
    /// To inventory.
    ReserveStock,
    /// To payment.
    RequestPayment,
    /// To inventory.
    CommitStock,
    /// To shipping.
    ArrangeShipment,
    /// To payment.
    CapturePayment,
    /// To inventory.
    ConsumeStock,
    /// To payment.
    RecordCollection,
}

/// What becomes of a step when a later one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is undone.
    Compensatable,
    /// It decides: once it has succeeded nothing is undone any more.
    Pivot,
    /// It comes after the pivot, cannot fail for good, and is tried until it succeeds.
    Retriable,
}

/// When a step begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Begin {
    /// When the step before it has succeeded; the first one when the order is placed.
    InTurn,
    /// When the parcel has left, and the payment stands at one of these.
    Dispatched(&'static [Payment]),
    /// When the parcel has arrived, and the payment stands at one of these.
    Delivered(&'static [Payment]),
}

/// Which deadline a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The inventory service must answer a reservation.
    Reserve,
    /// The customer and the provider must have come to an end.
    Payment,
    /// The inventory service must answer a commit.
    Commit,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: StepName,
    /// When it begins.
    pub begins: Begin,
    /// The phase of the order while it is under way, for steps that are taken in turn.
    pub phase: Option<Phase>,
    /// What is said to begin it.
    pub tell: Tell,
    /// The wire names of the order's events that say it has succeeded.
    pub succeeded_by: &'static [&'static str],
    /// How it is undone.
    pub undo: Option<Undo>,
    /// What becomes of it when a later one fails.
    pub kind: Kind,
    /// How long it may take, and why the order fails when it takes longer.
    pub deadline: Option<(Timer, FailureReason)>,
}

/// A plan: its steps, those that are taken in turn first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: &'static str,
    /// Its steps.
    pub steps: &'static [Step],
}

impl Plan {
    /// The first step.
    #[must_use]
    pub fn first(&self) -> Option<&'static Step> {
        self.in_turn().next()
    }

    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: StepName) -> Option<&'static Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The step that is taken in turn after `name`.
    #[must_use]
    pub fn after(&self, name: StepName) -> Option<&'static Step> {
        self.in_turn().skip_while(|step| step.name != name).nth(1)
    }

    /// The step that is under way in `phase`.
    #[must_use]
    pub fn under_way(&self, phase: Phase) -> Option<&'static Step> {
        self.in_turn().find(|step| step.phase == Some(phase))
    }

    /// The steps that are taken in turn.
    pub fn in_turn(&self) -> impl Iterator<Item = &'static Step> {
        self.steps.iter().filter(|step| step.begins == Begin::InTurn)
    }
}

/// The default: hold the stock, then ask for the money, so that nobody pays for what is not there.
pub const RESERVE_FIRST: Plan = Plan { name: "reserve -> pay -> commit -> ship", steps: &STEPS };

const STEPS: [Step; 7] = [
    Step {
        name: StepName::Reserve,
        begins: Begin::InTurn,
        phase: Some(Phase::Reserving),
        tell: Tell::ReserveStock,
        succeeded_by: &["OrderStockHeld"],
        undo: Some(Undo::ReleaseStock),
        kind: Kind::Compensatable,
        deadline: Some((Timer::Reserve, FailureReason::StockTimeout)),
    },
    Step {
        name: StepName::Pay,
        begins: Begin::InTurn,
        phase: Some(Phase::AwaitingPayment),
        tell: Tell::RequestPayment,
        succeeded_by: &["OrderPaymentAuthorized", "OrderPaymentCaptured", "OrderPaymentPromised"],
        undo: Some(Undo::CancelPayment),
        kind: Kind::Compensatable,
        deadline: Some((Timer::Payment, FailureReason::PaymentTimeout)),
    },
    Step {
        name: StepName::Commit,
        begins: Begin::InTurn,
        phase: Some(Phase::Committing),
        tell: Tell::CommitStock,
        succeeded_by: &["OrderStockCommitted"],
        undo: Some(Undo::ReleaseStock),
        kind: Kind::Compensatable,
        deadline: Some((Timer::Commit, FailureReason::StockTimeout)),
    },
    Step {
        name: StepName::Ship,
        begins: Begin::InTurn,
        phase: Some(Phase::Confirmed),
        tell: Tell::ArrangeShipment,
        succeeded_by: &["OrderDispatched"],
        undo: Some(Undo::CancelShipment),
        kind: Kind::Pivot,
        deadline: None,
    },
    Step {
        name: StepName::Capture,
        begins: Begin::Dispatched(&[Payment::Authorized]),
        phase: None,
        tell: Tell::CapturePayment,
        succeeded_by: &["OrderPaymentCaptured"],
        undo: None,
        kind: Kind::Retriable,
        deadline: None,
    },
    Step {
        name: StepName::Consume,
        begins: Begin::Dispatched(&[Payment::Authorized, Payment::Captured, Payment::Promised]),
        phase: None,
        tell: Tell::ConsumeStock,
        succeeded_by: &["OrderStockConsumed"],
        undo: None,
        kind: Kind::Retriable,
        deadline: None,
    },
    Step {
        name: StepName::Collect,
        begins: Begin::Delivered(&[Payment::Promised]),
        phase: None,
        tell: Tell::RecordCollection,
        succeeded_by: &["OrderPaymentCaptured"],
        undo: None,
        kind: Kind::Retriable,
        deadline: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Wire as _, order::OrderEvent};

    #[test]
    fn every_step_before_the_pivot_can_be_undone_and_none_after_it() {
        let kinds: Vec<Kind> = RESERVE_FIRST.steps.iter().map(|step| step.kind).collect();
        assert!(kinds.is_sorted_by_key(|kind| *kind as u8), "compensatable, pivot, retriable");
        assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Pivot).count(), 1);
        for step in RESERVE_FIRST.steps {
            assert_eq!(step.undo.is_none(), step.kind == Kind::Retriable, "{}", step.name);
            assert_eq!(step.phase.is_some(), step.begins == Begin::InTurn, "{}", step.name);
        }
    }

    #[test]
    fn every_step_succeeds_by_an_event_that_exists() {
        for step in RESERVE_FIRST.steps {
            assert!(!step.succeeded_by.is_empty());
            assert!(step.succeeded_by.iter().all(|kind| OrderEvent::KINDS.contains(kind)));
        }
    }

    #[test]
    fn the_steps_are_taken_in_the_order_of_the_plans_name() {
        let names: Vec<String> = RESERVE_FIRST.in_turn().map(|step| step.name.to_string()).collect();
        assert_eq!(names.join(" -> "), RESERVE_FIRST.name);
        assert_eq!(RESERVE_FIRST.after(StepName::Ship), None);
    }
}
