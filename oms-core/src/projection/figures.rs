//! Figures: the phase, money and units that follow from the facts, by folds of their own beside the aggregates'.

use super::facts::{Facts, SkuFacts};
use crate::event::{
    inventory::{InventoryEvent, StockEvent},
    payment::PaymentEvent,
    shipping::ShippingEvent,
};
use serde::{Deserialize, Serialize};

/// Sums of one order's money, in minor units of its currency, over its whole life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funds {
    /// Ever reserved at the provider.
    pub authorised: i128,
    /// Ever let go again.
    pub voided: i128,
    /// Ever taken.
    pub captured: i128,
    /// Ever given back.
    pub refunded: i128,
}

impl Funds {
    /// What is kept.
    #[must_use]
    pub fn kept(&self) -> i128 {
        self.captured - self.refunded
    }

    /// Adds one event of the payment stream.
    pub fn add(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentAuthorized(moved) => self.authorised += i128::from(moved.amount.minor),
            PaymentEvent::PaymentCaptured(moved) => self.captured += i128::from(moved.amount.minor),
            PaymentEvent::PaymentVoided(moved) => self.voided += i128::from(moved.amount.minor),
            PaymentEvent::PaymentRefunded(moved) => self.refunded += i128::from(moved.amount.minor),
            PaymentEvent::PaymentRequested(_)
            | PaymentEvent::PaymentActionRequired(_)
            | PaymentEvent::PaymentPending(_)
            | PaymentEvent::CodAccepted(_)
            | PaymentEvent::PaymentDeclined(_)
            | PaymentEvent::CaptureRequested(_)
            | PaymentEvent::CaptureFailed(_)
            | PaymentEvent::PaymentCancelRequested(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::PaymentNotStarted(_)
            | PaymentEvent::PaymentUndoFailed(_) => {}
        }
    }
}

/// Units of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// Held, and not yet committed.
    pub held: u64,
    /// Committed, and not yet gone.
    pub committed: u64,
    /// Gone for good.
    pub shipped: u64,
}

impl Units {
    /// Applies one event of the reservation's stream.
    pub fn apply(&mut self, event: &InventoryEvent) {
        match event {
            InventoryEvent::StockReserved(reserved) => {
                self.held = reserved.lines.iter().map(|line| u64::from(line.quantity)).sum();
            }
            InventoryEvent::StockCommitted(_) => {
                self.committed += self.held;
                self.held = 0;
            }
            InventoryEvent::StockReleased(_) => (self.held, self.committed) = (0, 0),
            InventoryEvent::StockConsumed(_) => {
                self.shipped += self.held + self.committed;
                (self.held, self.committed) = (0, 0);
            }
            InventoryEvent::StockRejected(_) | InventoryEvent::StockCommitRejected(_) => {}
        }
    }
}

/// Units of one SKU, by its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Receipts, counts and losses together.
    pub adjusted: i128,
    /// Held or committed for orders.
    pub taken: i128,
    /// Gone for good.
    pub shipped: i128,
}

impl Shelf {
    /// Units in the house.
    #[must_use]
    pub fn on_hand(&self) -> i128 {
        self.adjusted - self.shipped
    }

    /// Applies one event of the SKU's stream.
    pub fn apply(&mut self, event: &StockEvent) {
        match event {
            StockEvent::StockAdjusted(adjusted) => self.adjusted += i128::from(adjusted.delta),
            StockEvent::UnitsTaken(moved) => self.taken += i128::from(moved.units),
            StockEvent::UnitsReturned(moved) => self.taken -= i128::from(moved.units),
            StockEvent::UnitsConsumed(moved) => {
                self.taken -= i128::from(moved.units);
                self.shipped += i128::from(moved.units);
            }
        }
    }
}

impl SkuFacts {
    /// The SKU's units after all its events.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        let mut shelf = Shelf::default();
        self.events.iter().for_each(|event| shelf.apply(event));
        shelf
    }
}

/// How far the parcel got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parcel {
    /// None was asked for, or it was stopped, or nobody takes it.
    #[default]
    None,
    /// It was asked for.
    Planned,
    /// It waits until its hold is lifted.
    Held,
    /// It left the house.
    Dispatched,
    /// It arrived.
    Delivered,
}

impl Facts {
    /// The order's money, by its payment stream.
    #[must_use]
    pub fn funds(&self) -> Funds {
        let mut funds = Funds::default();
        self.payments.iter().for_each(|event| funds.add(event));
        funds
    }

    /// The order's units, by its reservation.
    #[must_use]
    pub fn units(&self) -> Units {
        let mut units = Units::default();
        self.stock.iter().for_each(|event| units.apply(event));
        units
    }

    /// How far the parcel got, by its shipment.
    #[must_use]
    pub fn parcel(&self) -> Parcel {
        self.shipments.iter().fold(Parcel::None, |parcel, event| match event {
            ShippingEvent::ShipmentRequested(_)
            | ShippingEvent::DispatchReleased(_)
            | ShippingEvent::ShipmentPlanned(_) => parcel.max(Parcel::Planned).unheld(),
            ShippingEvent::ShipmentHeld(_) => Parcel::Held,
            ShippingEvent::ShipmentDispatched(_) => parcel.max(Parcel::Dispatched),
            ShippingEvent::ShipmentDelivered(_) => Parcel::Delivered,
            ShippingEvent::ShipmentFailed(_) | ShippingEvent::ShipmentCancelled(_) => parcel.stopped(),
            ShippingEvent::ShipmentCancelRequested(_) | ShippingEvent::ShipmentCancelRejected(_) => parcel,
        })
    }
}

impl Parcel {
    /// Whether it has left.
    #[must_use]
    pub fn has_left(self) -> bool {
        self >= Parcel::Dispatched
    }

    fn unheld(self) -> Self {
        if self == Parcel::Held { Parcel::Planned } else { self }
    }

    fn stopped(self) -> Self {
        // What has left cannot be stopped: an answer that says so is for the check to find, not to hide.
        if self.has_left() { self } else { Parcel::None }
    }
}
