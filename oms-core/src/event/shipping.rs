//! What is said to and by the shipping service.

use super::{Fields, inventory::StockLine};
use crate::{id::OrderId, money::Money};
use serde::{Deserialize, Serialize};

/// Where an order goes. Only the country is required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Who receives it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Street and number, one line or several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub street: Vec<String>,
    /// City.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Postal code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// Country, by name or code.
    pub country: String,
}

/// Asks for the parcels of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrangeShipment {
    /// The order.
    pub order: OrderId,
    /// Where to.
    pub address: Address,
    /// What; empty when nothing is sent (services only).
    pub lines: Vec<StockLine>,
    /// What the courier must collect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<Money>,
    /// Plan it, but tell no carrier until the hold is lifted.
    #[serde(default)]
    pub hold: bool,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Names the order whose shipment is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentOf {
    /// The order.
    pub order: OrderId,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

crate::wire_enum! {
    /// What the shipping service may be told.
    pub enum ShippingCommand, schema 1 {
        /// Send it.
        ArrangeShipment(ArrangeShipment) = "ArrangeShipment",
        /// Do not send it, if it has not left; before its do it leaves a tombstone. Shipping alone decides (the pivot).
        CancelShipment(ShipmentOf) = "CancelShipment",
        /// Lift the hold.
        ReleaseDispatch(ShipmentOf) = "ReleaseDispatch",
    }
}

/// The parcel left the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentDispatched {
    /// The order.
    pub order: OrderId,
    /// The carrier's number.
    pub tracking: String,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// The parcel arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentDelivered {
    /// The order.
    pub order: OrderId,
    /// What the courier collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Money>,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// It will not be sent, or cannot be stopped: why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentRefused {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: String,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

crate::wire_enum! {
    /// What happened to a shipment: recorded in its stream, and answered to the order.
    pub enum ShippingEvent, schema 1 {
        /// A shipment was asked for; recorded only.
        ShipmentRequested(ArrangeShipment) = "ShipmentRequested",
        /// It is planned, and waits for its hold to be lifted. Answered to the order, for whoever waits to cancel it.
        ShipmentHeld(ShipmentOf) = "ShipmentHeld",
        /// The hold was lifted; recorded only.
        DispatchReleased(ShipmentOf) = "DispatchReleased",
        /// The carrier has booked it; recorded only.
        ShipmentPlanned(ShipmentDispatched) = "ShipmentPlanned",
        /// The parcel left the house: the pivot.
        ShipmentDispatched(ShipmentDispatched) = "ShipmentDispatched",
        /// The parcel arrived.
        ShipmentDelivered(ShipmentDelivered) = "ShipmentDelivered",
        /// The carrier will not take it.
        ShipmentFailed(ShipmentRefused) = "ShipmentFailed",
        /// A cancellation was asked for; recorded only.
        ShipmentCancelRequested(ShipmentOf) = "ShipmentCancelRequested",
        /// It will not be sent.
        ShipmentCancelled(ShipmentOf) = "ShipmentCancelled",
        /// It cannot be stopped any more.
        ShipmentCancelRejected(ShipmentRefused) = "ShipmentCancelRejected",
    }
}
