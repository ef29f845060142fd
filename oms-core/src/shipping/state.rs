//! The state of one order's shipment.

use crate::event::shipping::{ArrangeShipment, ShippingEvent};
use serde::{Deserialize, Serialize};

/// How far a shipment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nobody asked yet.
    #[default]
    Absent,
    /// Planned; its hold must be lifted before a carrier is told.
    Held,
    /// The carrier was asked, and has not answered.
    Asked,
    /// The carrier will take it.
    Booked,
    /// It left the house: the pivot.
    Dispatched,
    /// It arrived.
    Delivered,
    /// No carrier takes it.
    Failed,
    /// It will not be sent; without a request it is a tombstone.
    Cancelled,
}

/// The state of a shipment; its request is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub(super) phase: Phase,
    #[serde(skip)]
    pub(super) request: Option<ArrangeShipment>,
    /// Somebody waits for an answer to a cancellation.
    #[serde(default)]
    pub(super) cancelling: bool,
    #[serde(default)]
    pub(super) rejected: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) tracking: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
}

impl Shipment {
    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What was asked for; none for a tombstone.
    #[must_use]
    pub fn request(&self) -> Option<&ArrangeShipment> {
        self.request.as_ref()
    }

    /// Whether the carrier still has something to say of the parcel.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Booked | Phase::Dispatched)
    }

    /// Gives back the request that is stored apart from the state.
    pub fn restore(&mut self, request: ArrangeShipment) {
        self.request = Some(request);
    }

    /// Applies one recorded event.
    pub fn evolve(&mut self, event: &ShippingEvent) {
        match event {
            ShippingEvent::ShipmentRequested(request) => {
                self.phase = Phase::Asked;
                self.request = Some(request.clone());
            }
            ShippingEvent::ShipmentHeld(_) => self.phase = Phase::Held,
            ShippingEvent::DispatchReleased(_) => self.phase = Phase::Asked,
            ShippingEvent::ShipmentPlanned(parcel) => {
                self.phase = Phase::Booked;
                self.tracking.clone_from(&parcel.tracking);
            }
            ShippingEvent::ShipmentDispatched(parcel) => {
                self.phase = Phase::Dispatched;
                self.tracking.clone_from(&parcel.tracking);
            }
            ShippingEvent::ShipmentDelivered(_) => self.phase = Phase::Delivered,
            ShippingEvent::ShipmentFailed(refused) => {
                self.phase = Phase::Failed;
                self.reason.clone_from(&refused.reason);
            }
            ShippingEvent::ShipmentCancelRequested(_) => self.cancelling = true,
            ShippingEvent::ShipmentCancelled(_) => {
                self.phase = Phase::Cancelled;
                self.cancelling = false;
            }
            ShippingEvent::ShipmentCancelRejected(_) => {
                self.cancelling = false;
                self.rejected = true;
            }
        }
    }
}
