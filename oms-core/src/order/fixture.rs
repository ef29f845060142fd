//! What tests of orders share: an order to place, and everything that can be said to it.

use super::{Input, NewLine, NewOrder, Order, Refusal};
use crate::{
    event::{
        Fields,
        inventory::{InventoryEvent, StockMoved, StockRejected, StockReserved},
        order::{CancelOrder, OrderEvent, OrderPlaced},
        payment::{PaymentChoice, PaymentDeclined, PaymentEvent, PaymentMoved, PaymentOf},
        shipping::{
            Address, ShipmentDelivered, ShipmentDispatched, ShipmentOf, ShipmentRefused, ShippingEvent,
        },
    },
    id::{CustomerId, OrderId, Sku, order_id},
    money::{Currency, Money},
};
use std::sync::Arc;

/// What the order of [`new_order`] costs, in pence.
pub(crate) const DUE: i64 = 1_530;

pub(crate) fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::new("GBP").expect("GBP is a currency"))
}

pub(crate) fn fields() -> Fields {
    Fields::new([("gift".to_owned(), "yes".to_owned())]).expect("one small field fits")
}

pub(crate) fn line(sku: &str, quantity: u32, price: i64, stocked: bool) -> NewLine {
    let sku = Sku::new(sku).expect("a good SKU");
    let name = String::new();
    NewLine { sku, name, quantity, unit_price: pounds(price), stocked, fields: Fields::default() }
}

pub(crate) fn new_order(method: &str) -> NewOrder {
    let address = Address {
        name: String::new(),
        street: Vec::new(),
        city: String::new(),
        postal_code: String::new(),
        country: "United Kingdom".to_owned(),
    };
    NewOrder {
        customer: CustomerId::new("17850").expect("a good customer"),
        currency: pounds(0).currency,
        lines: vec![line("85123A", 6, 255, true), line("POST", 1, 0, false)],
        address,
        payment: PaymentChoice { method: method.into(), token: None },
        stated_total: None,
        hold_dispatch: false,
        fields: fields(),
    }
}

pub(crate) fn opened(new: NewOrder) -> OrderPlaced {
    new.accept("shop", "536365").expect("a good order")
}

/// An order just placed.
pub(crate) fn placed(method: &str) -> Order {
    let mut order = Order::default();
    order.evolve(&OrderEvent::OrderPlaced(Arc::new(opened(new_order(method)))));
    order
}

/// Everything that can be said to an order. Amounts are in pence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Say {
    Reserved,
    Short,
    Committed,
    CommitRejected,
    Released,
    Consumed,
    Authorized(i64),
    Captured(i64),
    CodAccepted,
    Pending,
    Doubted,
    Declined,
    CaptureFailed,
    Voided,
    Refunded(i64),
    NotStarted,
    UndoFailed,
    Held,
    Dispatched,
    Delivered(Option<i64>),
    Refused,
    Stopped,
    NotStopped,
    Cancel,
    Deadline,
}

/// What a [`Say`] is in the language of the services.
pub(crate) enum Said {
    Stock(InventoryEvent),
    Payment(PaymentEvent),
    Shipment(ShippingEvent),
    Cancel(CancelOrder),
    Deadline,
}

impl Say {
    pub(crate) fn said(self) -> Said {
        match self {
            Say::Reserved
            | Say::Short
            | Say::Committed
            | Say::CommitRejected
            | Say::Released
            | Say::Consumed => Said::Stock(self.stock()),
            Say::Held
            | Say::Dispatched
            | Say::Delivered(_)
            | Say::Refused
            | Say::Stopped
            | Say::NotStopped => Said::Shipment(self.shipment()),
            Say::Cancel => Said::Cancel(CancelOrder {
                order: order(),
                by: "customer".to_owned(),
                reason: "changed my mind".to_owned(),
            }),
            Say::Deadline => Said::Deadline,
            _ => Said::Payment(self.payment()),
        }
    }

    fn stock(self) -> InventoryEvent {
        let moved = StockMoved { order: order(), units: 6, fields: fields() };
        match self {
            Say::Reserved => {
                let lines = opened(new_order("card")).stock_lines();
                InventoryEvent::StockReserved(StockReserved { order: order(), lines, fields: fields() })
            }
            Say::Short => InventoryEvent::StockRejected(StockRejected {
                order: order(),
                shortages: Vec::new(),
                fields: fields(),
            }),
            Say::Committed => InventoryEvent::StockCommitted(moved),
            Say::CommitRejected => InventoryEvent::StockCommitRejected(moved),
            Say::Consumed => InventoryEvent::StockConsumed(moved),
            _ => InventoryEvent::StockReleased(moved),
        }
    }

    fn payment(self) -> PaymentEvent {
        let moved =
            |minor| PaymentMoved { order: order(), amount: pounds(minor), reference: None, fields: fields() };
        let no = |last_word| PaymentDeclined {
            order: order(),
            last_word,
            reason: "no funds".to_owned(),
            fields: fields(),
        };
        let plain = PaymentOf { order: order(), fields: fields() };
        match self {
            Say::Authorized(minor) => PaymentEvent::PaymentAuthorized(moved(minor)),
            Say::Captured(minor) => PaymentEvent::PaymentCaptured(moved(minor)),
            Say::CodAccepted => PaymentEvent::CodAccepted(moved(DUE)),
            Say::Doubted => PaymentEvent::PaymentDeclined(no(false)),
            Say::Declined => PaymentEvent::PaymentDeclined(no(true)),
            Say::CaptureFailed => PaymentEvent::CaptureFailed(no(true)),
            Say::Voided => PaymentEvent::PaymentVoided(moved(DUE)),
            Say::Refunded(minor) => PaymentEvent::PaymentRefunded(moved(minor)),
            Say::NotStarted => PaymentEvent::PaymentNotStarted(plain),
            Say::UndoFailed => PaymentEvent::PaymentUndoFailed(no(true)),
            _ => PaymentEvent::PaymentPending(plain),
        }
    }

    fn shipment(self) -> ShippingEvent {
        let plain = ShipmentOf { order: order(), fields: fields() };
        let refused =
            ShipmentRefused { order: order(), reason: "the carrier says no".to_owned(), fields: fields() };
        match self {
            Say::Held => ShippingEvent::ShipmentHeld(plain),
            Say::Dispatched => ShippingEvent::ShipmentDispatched(ShipmentDispatched {
                order: order(),
                tracking: "T1".to_owned(),
                fields: fields(),
            }),
            Say::Delivered(minor) => ShippingEvent::ShipmentDelivered(ShipmentDelivered {
                order: order(),
                collected: minor.map(pounds),
                fields: fields(),
            }),
            Say::Refused => ShippingEvent::ShipmentFailed(refused),
            Say::Stopped => ShippingEvent::ShipmentCancelled(plain),
            _ => ShippingEvent::ShipmentCancelRejected(refused),
        }
    }
}

impl Said {
    pub(crate) fn input(&self) -> Input<'_> {
        match self {
            Said::Stock(event) => Input::Stock(event),
            Said::Payment(event) => Input::Payment(event),
            Said::Shipment(event) => Input::Shipment(event),
            Said::Cancel(wish) => Input::Cancel(wish),
            Said::Deadline => Input::Deadline,
        }
    }
}

fn order() -> OrderId {
    order_id("shop", "536365")
}

impl Order {
    /// Decides and applies; gives what happened.
    pub(crate) fn hear(&mut self, say: Say) -> Result<Vec<OrderEvent>, Refusal> {
        let events = self.decide(&say.said().input())?;
        events.iter().for_each(|event| self.evolve(event));
        Ok(events)
    }
}
