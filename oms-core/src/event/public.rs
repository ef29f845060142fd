//! The public events: what anybody may hear about orders, under the field's names, each on a topic of its own.
//!
//! Services speak to each other in finer events; [`PUBLISHED`] is the one table of which of those are published as what.
//!
//! ```
//! use oms_core::event::public::{published_as, topic_of};
//! assert_eq!(published_as("OrderDispatched"), ["OrderShipped"]);
//! assert_eq!(topic_of("OrderShipped"), Some("order.shipped"));
//! ```

use super::{
    Fields,
    inventory::StockLine,
    order::{FailureReason, OrderLine},
};
use crate::{
    id::{CustomerId, Name, OrderId, Sku},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The topic of each public event, by its wire name.
pub const TOPICS: [(&str, &str); 10] = [
    ("OrderPlaced", "order.placed"),
    ("InventoryReserved", "inventory.reserved"),
    ("PaymentProcessed", "payment.processed"),
    ("PaymentCompleted", "payment.completed"),
    ("PaymentFailed", "payment.failed"),
    ("OrderShipped", "order.shipped"),
    ("OrderCompleted", "order.completed"),
    ("OrderFailed", "order.failed"),
    ("OrderCancelled", "order.cancelled"),
    ("StockUpdated", "stock.updated"),
];

/// Which event of an order is published as what; the order service sends by this table. `StockUpdated` alone is not in it:
/// the inventory service sends it for its [`StockEvent`](super::inventory::StockEvent)s.
pub const PUBLISHED: [(&str, &[&str]); 27] = [
    ("OrderPlaced", &["OrderPlaced"]),
    ("OrderStockHeld", &["InventoryReserved"]),
    ("OrderStockRejected", &[]),
    ("OrderPaymentAuthorized", &["PaymentProcessed"]),
    ("OrderPaymentCaptured", &["PaymentProcessed", "PaymentCompleted"]),
    ("OrderPaymentCapturedLate", &[]),
    ("OrderPaymentPromised", &["PaymentProcessed"]),
    ("OrderPaymentDeclined", &["PaymentFailed"]),
    ("OrderStepTimedOut", &[]),
    ("OrderStockCommitted", &[]),
    ("OrderStockCommitRejected", &[]),
    ("OrderDispatchHeld", &[]),
    ("OrderDispatched", &["OrderShipped"]),
    ("OrderShipmentFailed", &[]),
    ("OrderStockConsumed", &[]),
    ("OrderDelivered", &[]),
    ("OrderCancelRequested", &[]),
    ("OrderCancelRejected", &[]),
    ("OrderShipmentCancelled", &[]),
    ("OrderFailing", &[]),
    ("OrderCancelling", &[]),
    ("OrderPaymentUndone", &[]),
    ("OrderStockReleased", &[]),
    ("OrderNeedsAttention", &[]),
    ("OrderCompleted", &["OrderCompleted"]),
    ("OrderFailed", &["OrderFailed"]),
    ("OrderCancelled", &["OrderCancelled"]),
];

/// The public names of an order's event, by its wire name; none for one that is not published, or not known.
#[must_use]
pub fn published_as(kind: &str) -> &'static [&'static str] {
    PUBLISHED.iter().find(|(internal, _)| *internal == kind).map_or(&[], |(_, names)| names)
}

/// The topic of a public event, by its wire name.
#[must_use]
pub fn topic_of(kind: &str) -> Option<&'static str> {
    TOPICS.iter().find(|(name, _)| *name == kind).map(|(_, topic)| *topic)
}

/// The one status that people see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Accepted; stock and payment are being arranged.
    #[default]
    #[serde(rename = "pending")]
    Pending,
    /// Its stock is committed, its payment guaranteed.
    #[serde(rename = "confirmed")]
    Confirmed,
    /// Its payment was taken in full.
    #[serde(rename = "paid")]
    Paid,
    /// It left the house.
    #[serde(rename = "shipped")]
    Shipped,
    /// Delivered and paid. Terminal.
    #[serde(rename = "completed")]
    Completed,
    /// Undone, nothing kept. Terminal.
    #[serde(rename = "failed")]
    Failed,
    /// Undone on request, nothing kept. Terminal.
    #[serde(rename = "cancelled")]
    Cancelled,
}

impl Status {
    /// All of them, in the order of an order's life.
    pub const ALL: [Status; 7] = [
        Status::Pending,
        Status::Confirmed,
        Status::Paid,
        Status::Shipped,
        Status::Completed,
        Status::Failed,
        Status::Cancelled,
    ];

    /// Its name on the wire and for scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Confirmed => "confirmed",
            Status::Paid => "paid",
            Status::Shipped => "shipped",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What every public event of an order says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The order.
    pub order: OrderId,
    /// Who buys.
    pub customer: CustomerId,
    /// What it costs.
    pub total: Money,
    /// How it is paid.
    pub method: Name,
    /// Its status after the turn that said this.
    pub status: Status,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// The body of `OrderPlaced`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// What was ordered, with the lines' own fields.
    pub lines: Vec<OrderLine>,
}

/// The body of `InventoryReserved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedInventory {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// What is held; empty when the order has services only.
    pub lines: Vec<StockLine>,
}

/// How far a payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Reserved at the provider; taken when the parcel leaves.
    #[serde(rename = "authorized")]
    Authorized,
    /// Promised on delivery.
    #[serde(rename = "promised")]
    Promised,
    /// Taken.
    #[serde(rename = "captured")]
    Captured,
}

/// The body of `PaymentProcessed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessedPayment {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// How far it has come.
    pub stage: Stage,
    /// How much.
    pub amount: Money,
}

/// The body of `PaymentCompleted`: the money was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedPayment {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// How much.
    pub amount: Money,
}

/// The body of `PaymentFailed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedPayment {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// False while the provider may still change its mind.
    pub last_word: bool,
    /// Why, in the provider's words.
    pub reason: String,
}

/// The body of `OrderShipped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippedOrder {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// The carrier's number; empty when it was not told.
    pub tracking: String,
}

/// The body of `OrderCompleted`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedOrder {
    /// The order.
    #[serde(flatten)]
    pub about: About,
}

/// The body of `OrderFailed`: sent only when everything is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedOrder {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// Why.
    pub reason: FailureReason,
    /// What was given back.
    pub refunded: Money,
}

/// The body of `OrderCancelled`: sent only when everything is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledOrder {
    /// The order.
    #[serde(flatten)]
    pub about: About,
    /// Who asked.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// What was given back.
    pub refunded: Money,
}

/// The body of `StockUpdated`: what of a SKU there is after a turn that changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatedStock {
    /// The SKU.
    pub sku: Sku,
    /// Units in the house, those taken for orders included.
    pub on_hand: i64,
    /// Units that can still be had.
    pub available: i64,
    /// The order it moved for; none for a receipt, a count or a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

crate::wire_enum! {
    /// What anybody may hear.
    pub enum PublicEvent, schema 1 {
        /// An order was accepted.
        OrderPlaced(PlacedOrder) = "OrderPlaced",
        /// All its lines are held.
        InventoryReserved(ReservedInventory) = "InventoryReserved",
        /// Its payment is authorised, promised or taken.
        PaymentProcessed(ProcessedPayment) = "PaymentProcessed",
        /// Its payment was taken.
        PaymentCompleted(CompletedPayment) = "PaymentCompleted",
        /// The provider said no, for now or for good.
        PaymentFailed(FailedPayment) = "PaymentFailed",
        /// It left the house.
        OrderShipped(ShippedOrder) = "OrderShipped",
        /// Delivered and paid.
        OrderCompleted(CompletedOrder) = "OrderCompleted",
        /// Undone, because a step failed.
        OrderFailed(FailedOrder) = "OrderFailed",
        /// Undone on request.
        OrderCancelled(CancelledOrder) = "OrderCancelled",
        /// The units of a SKU changed.
        StockUpdated(UpdatedStock) = "StockUpdated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Wire as _, order::OrderEvent};

    #[test]
    fn every_event_of_an_order_has_its_row_in_the_table() {
        let rows: Vec<&str> = PUBLISHED.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(rows, OrderEvent::KINDS);
    }

    #[test]
    fn every_public_event_has_a_topic_and_a_sender() {
        let named: Vec<&str> = TOPICS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(named, PublicEvent::KINDS);
        for kind in PublicEvent::KINDS {
            let sent = PUBLISHED.iter().any(|(_, names)| names.contains(kind));
            assert_eq!(sent, *kind != "StockUpdated", "{kind}");
        }
        let known = |name: &&str| PublicEvent::KINDS.contains(name);
        assert!(PUBLISHED.iter().all(|(_, names)| names.iter().all(known)));
    }

    #[test]
    fn a_status_has_one_name_everywhere() {
        for status in Status::ALL {
            let written = serde_json::to_string(&status).unwrap_or_default();
            assert_eq!(written, format!("\"{}\"", status.name()));
        }
    }
}
