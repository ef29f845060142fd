//! What is said to the order service, and what it records.
//!
//! ```
//! use oms_core::{event::{Wire, order::{CancelOrder, OrderRequest}}, id::order_id};
//! let (order, by, reason) = (order_id("shop", "1"), "customer".to_owned(), "changed my mind".to_owned());
//! let request = OrderRequest::CancelOrder(CancelOrder { order, by, reason });
//! let body = request.encode()?;
//! assert_eq!(OrderRequest::decode("CancelOrder", OrderRequest::SCHEMA, &body)?, request);
//! # Ok::<(), oms_core::event::WireError>(())
//! ```

use super::{
    Fields,
    inventory::{Shortage, StockLine},
    payment::PaymentChoice,
    shipping::Address,
};
use crate::{
    id::{CustomerId, Name, OrderId, Sku},
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One line of an order, priced when it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// What is sold.
    pub sku: Sku,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How many, 1 to 1,000,000.
    pub quantity: u32,
    /// The price of one, in minor units of the order's currency; may be 0.
    pub unit_price: i64,
    /// Whether it needs stock; a service (postage) does not.
    pub stocked: bool,
    /// Own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Everything that is known of an order when it is accepted; the first event of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order: OrderId,
    /// Who placed it, as far as idempotency keys go.
    pub principal: Name,
    /// The key that made its id.
    pub idempotency_key: Name,
    /// A digest of the content: the same key with another content is refused.
    pub fingerprint: String,
    /// Who buys.
    pub customer: CustomerId,
    /// The currency of every price.
    pub currency: Currency,
    /// 1 to 500 lines.
    pub lines: Vec<OrderLine>,
    /// Where it goes.
    pub address: Address,
    /// How it is paid.
    pub payment: PaymentChoice,
    /// The sum of all lines.
    pub total: Money,
    /// Whether its dispatch waits until somebody lifts the hold.
    #[serde(default)]
    pub hold_dispatch: bool,
    /// Own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

impl OrderPlaced {
    /// The lines that need stock, numbered as on the order.
    #[must_use]
    pub fn stock_lines(&self) -> Vec<StockLine> {
        let numbered = (0_u16..).zip(&self.lines).filter(|(_, line)| line.stocked);
        let stock = numbered.map(|(number, line)| StockLine {
            line: number,
            sku: line.sku.clone(),
            quantity: line.quantity,
            fields: line.fields.clone(),
        });
        stock.collect()
    }
}

/// Asks for an order to be cancelled. A request: shipping decides whether it can still be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// The order.
    pub order: OrderId,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: String,
}

crate::wire_enum! {
    /// What the order service may be asked from outside.
    pub enum OrderRequest, schema 1 {
        /// Cancel it, if it can still be stopped.
        CancelOrder(CancelOrder) = "CancelOrder",
    }
}

/// Why an order is being undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureReason {
    /// A SKU is unknown, or there is not enough of it.
    #[serde(rename = "out_of_stock")]
    OutOfStock,
    /// The inventory service did not answer in time.
    #[serde(rename = "stock_timeout")]
    StockTimeout,
    /// The provider's last word was no.
    #[serde(rename = "payment_declined")]
    PaymentDeclined,
    /// The provider did not answer in time; the payment is pending until it is settled.
    #[serde(rename = "payment_timeout")]
    PaymentTimeout,
    /// The hold was gone when it was to be committed.
    #[serde(rename = "hold_expired")]
    HoldExpired,
    /// No carrier takes it.
    #[serde(rename = "shipping")]
    Shipping,
}

/// One fact about an order that needs no more words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFact {
    /// The order.
    pub order: OrderId,
}

/// The stock of an order was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderShort {
    /// The order.
    pub order: OrderId,
    /// What was missing.
    pub shortages: Vec<Shortage>,
}

/// A fact about an order's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderMoney {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
}

/// The provider said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDeclined {
    /// The order.
    pub order: OrderId,
    /// False while the provider may still change its mind.
    pub last_word: bool,
    /// Why, in the provider's words.
    pub reason: String,
}

/// The parcel left the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTracked {
    /// The order.
    pub order: OrderId,
    /// The carrier's number; empty when it was not told.
    pub tracking: String,
}

/// The parcel arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderArrived {
    /// The order.
    pub order: OrderId,
    /// What the courier collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Money>,
}

/// A fact about an order, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderWhy {
    /// The order.
    pub order: OrderId,
    /// Why, in words.
    pub reason: String,
}

/// An abort was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFailing {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: FailureReason,
}

crate::wire_enum! {
    /// What happened to an order. The saga's steps and undos are recorded here too: the story is told by these alone.
    pub enum OrderEvent, schema 1 {
        /// Accepted; stock is asked for.
        OrderPlaced(Arc<OrderPlaced>) = "OrderPlaced",
        /// All lines are held; payment is asked for.
        OrderStockHeld(OrderFact) = "OrderStockHeld",
        /// Nothing is held.
        OrderStockRejected(OrderShort) = "OrderStockRejected",
        /// Payment is guaranteed by an authorisation; a commit is asked for.
        OrderPaymentAuthorized(OrderMoney) = "OrderPaymentAuthorized",
        /// Payment was taken.
        OrderPaymentCaptured(OrderMoney) = "OrderPaymentCaptured",
        /// Payment was taken while the order is being undone: the payment service gives it back, and says so.
        OrderPaymentCapturedLate(OrderMoney) = "OrderPaymentCapturedLate",
        /// Payment is promised on delivery.
        OrderPaymentPromised(OrderMoney) = "OrderPaymentPromised",
        /// The provider said no, for now or for good.
        OrderPaymentDeclined(OrderDeclined) = "OrderPaymentDeclined",
        /// A step was not answered in time.
        OrderStepTimedOut(OrderWhy) = "OrderStepTimedOut",
        /// Stock is committed; a shipment is asked for.
        OrderStockCommitted(OrderFact) = "OrderStockCommitted",
        /// The hold was gone.
        OrderStockCommitRejected(OrderFact) = "OrderStockCommitRejected",
        /// The shipment waits for its hold to be lifted.
        OrderDispatchHeld(OrderFact) = "OrderDispatchHeld",
        /// The parcel left the house; capture and consumption are asked for.
        OrderDispatched(OrderTracked) = "OrderDispatched",
        /// No carrier takes it.
        OrderShipmentFailed(OrderWhy) = "OrderShipmentFailed",
        /// The units have left the books.
        OrderStockConsumed(OrderFact) = "OrderStockConsumed",
        /// The parcel arrived.
        OrderDelivered(OrderArrived) = "OrderDelivered",
        /// Somebody wants it cancelled.
        OrderCancelRequested(CancelOrder) = "OrderCancelRequested",
        /// It cannot be stopped any more.
        OrderCancelRejected(OrderWhy) = "OrderCancelRejected",
        /// The shipment will not leave.
        OrderShipmentCancelled(OrderFact) = "OrderShipmentCancelled",
        /// Everything done so far is being undone, because a step failed.
        OrderFailing(OrderFailing) = "OrderFailing",
        /// Everything done so far is being undone, because somebody asked.
        OrderCancelling(OrderFact) = "OrderCancelling",
        /// Its payment is undone: nothing is kept. The amount is what was given back.
        OrderPaymentUndone(OrderMoney) = "OrderPaymentUndone",
        /// Its stock is undone.
        OrderStockReleased(OrderFact) = "OrderStockReleased",
        /// A person must look.
        OrderNeedsAttention(OrderWhy) = "OrderNeedsAttention",
        /// Done: delivered and paid. Terminal.
        OrderCompleted(OrderFact) = "OrderCompleted",
        /// Undone. Terminal.
        OrderFailed(OrderFailing) = "OrderFailed",
        /// Undone on request. Terminal.
        OrderCancelled(OrderWhy) = "OrderCancelled",
    }
}
