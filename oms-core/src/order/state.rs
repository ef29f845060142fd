//! What an order is: its phase, its facets, and what is still to be undone; no time, message, attempt or version.

use super::{
    facet::{Payment, Phase, Shipment, Stock},
    plan::{Plan, RESERVE_FIRST, Step, StepName, Undo},
};
use crate::{
    event::{
        order::{FailureReason, OrderPlaced},
        public::Status,
    },
    id::Name,
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// Who wants an order cancelled, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CancelWish {
    /// Who asks.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}

/// An order, small however many lines it has: what was placed is shared and never written again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    #[serde(skip)]
    pub(super) placed: Option<Arc<OrderPlaced>>,
    pub(super) phase: Phase,
    pub(super) stock: Stock,
    pub(super) payment: Payment,
    pub(super) shipment: Shipment,
    /// Minor units taken, and given back, of the order's currency.
    pub(super) captured: i64,
    pub(super) returned: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) collected: Option<Money>,
    pub(super) started: BTreeSet<StepName>,
    pub(super) undoing: BTreeSet<Undo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancel: Option<CancelWish>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attention: Option<Name>,
}

impl Order {
    /// What was placed; `None` while nothing was, or while the fixed part of a stored state was not given back.
    #[must_use]
    pub fn placed(&self) -> Option<&Arc<OrderPlaced>> {
        self.placed.as_ref()
    }

    /// Gives back what was placed to a state that was stored without it.
    pub fn restore(&mut self, placed: Arc<OrderPlaced>) {
        self.placed = Some(placed);
    }

    /// Its phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How its stock stands.
    #[must_use]
    pub fn stock(&self) -> Stock {
        self.stock
    }

    /// How its payment stands.
    #[must_use]
    pub fn payment(&self) -> Payment {
        self.payment
    }

    /// How its shipment stands.
    #[must_use]
    pub fn shipment(&self) -> Shipment {
        self.shipment
    }

    /// What was taken; `None` while nothing was placed.
    #[must_use]
    pub fn captured(&self) -> Option<Money> {
        self.amount(self.captured)
    }

    /// What was given back; `None` while nothing was placed.
    #[must_use]
    pub fn returned(&self) -> Option<Money> {
        self.amount(self.returned)
    }

    /// What the courier collected.
    #[must_use]
    pub fn collected(&self) -> Option<Money> {
        self.collected
    }

    /// Why it is being, or was, undone.
    #[must_use]
    pub fn failure(&self) -> Option<FailureReason> {
        self.failure
    }

    /// Who wanted it cancelled, and why; forgotten when that was refused.
    #[must_use]
    pub fn cancel(&self) -> Option<&CancelWish> {
        self.cancel.as_ref()
    }

    /// Why a person must look.
    #[must_use]
    pub fn attention(&self) -> Option<&str> {
        self.attention.as_deref()
    }

    /// The steps that were begun.
    #[must_use]
    pub fn started(&self) -> &BTreeSet<StepName> {
        &self.started
    }

    /// What was told to be undone, and is not settled yet.
    #[must_use]
    pub fn undoing(&self) -> &BTreeSet<Undo> {
        &self.undoing
    }

    /// The plan it follows.
    #[must_use]
    pub fn plan(&self) -> &'static Plan {
        &RESERVE_FIRST
    }

    /// The step that is under way in turn; none while it is being undone, or once it has left the house.
    #[must_use]
    pub fn under_way(&self) -> Option<&'static Step> {
        self.plan().under_way(self.phase)
    }

    /// The one status for people: a terminal phase; else shipped if it has left; else paid if it was taken in full; else
    /// confirmed if its stock is committed; else pending.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.phase {
            Phase::Completed => Status::Completed,
            Phase::Cancelled => Status::Cancelled,
            Phase::Failed => Status::Failed,
            Phase::Unplaced
            | Phase::Reserving
            | Phase::AwaitingPayment
            | Phase::Committing
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::CancelRequested
            | Phase::Cancelling
            | Phase::Failing
            | Phase::NeedsAttention => self.standing(),
        }
    }

    fn standing(&self) -> Status {
        if self.has_left() {
            Status::Shipped
        } else if self.is_paid() {
            Status::Paid
        } else if matches!(self.stock, Stock::Committed | Stock::Consumed) {
            Status::Confirmed
        } else {
            Status::Pending
        }
    }

    /// Whether the whole amount was taken, and is kept.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.payment == Payment::Captured && self.captured >= self.due()
    }

    /// Whether the parcel has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        matches!(self.shipment, Shipment::Dispatched | Shipment::Delivered)
    }

    pub(super) fn due(&self) -> i64 {
        self.placed.as_ref().map_or(0, |placed| placed.total.minor)
    }

    pub(super) fn total(&self) -> Option<Money> {
        self.placed.as_ref().map(|placed| placed.total)
    }

    /// Whether an undo has nothing (more) to do.
    pub(super) fn settled(&self, undo: Undo) -> bool {
        match undo {
            Undo::ReleaseStock => matches!(self.stock, Stock::Rejected | Stock::Released),
            Undo::CancelPayment => matches!(self.payment, Payment::Declined | Payment::Undone),
            Undo::CancelShipment => matches!(self.shipment, Shipment::Failed | Shipment::Cancelled),
        }
    }

    /// What has to be undone of the steps that were begun, by the plan.
    pub(super) fn to_undo(&self) -> BTreeSet<Undo> {
        let begun = self.plan().steps.iter().filter(|step| self.started.contains(&step.name));
        begun.filter_map(|step| step.undo).filter(|undo| !self.settled(*undo)).collect()
    }

    fn amount(&self, minor: i64) -> Option<Money> {
        self.total().map(|total| Money::new(minor, total.currency))
    }
}
