//! What tests of projections share: one order of six units, and everything that is recorded of it.

use super::Facts;
use crate::{
    clock::Timestamp,
    event::{
        Fields, Wire,
        inventory::{InventoryEvent, StockLine, StockMoved, StockReserved},
        order::{
            CancelOrder, FailureReason, OrderArrived, OrderEvent, OrderFact, OrderFailing, OrderLine,
            OrderMoney, OrderPlaced, OrderTracked, OrderWhy,
        },
        payment::{PaymentChoice, PaymentEvent, PaymentMoved, PaymentOf, RequestPayment},
        shipping::{
            Address, ArrangeShipment, ShipmentDelivered, ShipmentDispatched, ShipmentOf, ShippingEvent,
        },
    },
    id::{CustomerId, MessageId, Name, OrderId, Sku, StreamId, order_id},
    message::GroupLane,
    money::{Currency, Money},
    store::{Event, Recorded},
};
use std::sync::Arc;

/// What the order costs, in pence.
pub(crate) const DUE: i64 = 1_530;

pub(crate) fn order() -> OrderId {
    order_id("shop", "536365")
}

pub(crate) fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::new("GBP").expect("GBP is a currency"))
}

pub(crate) fn sku() -> Sku {
    Sku::new("85123A").expect("a good SKU")
}

pub(crate) fn placed() -> OrderPlaced {
    let line = |sku: Sku, quantity, unit_price, stocked| OrderLine {
        sku,
        name: String::new(),
        quantity,
        unit_price,
        stocked,
        fields: Fields::default(),
    };
    let postage = Sku::new("POST").expect("a good SKU");
    OrderPlaced {
        order: order(),
        principal: Name::from("shop"),
        idempotency_key: Name::from("536365"),
        fingerprint: String::new(),
        customer: CustomerId::new("17850").expect("a good customer"),
        currency: pounds(0).currency,
        lines: vec![line(sku(), 6, 255, true), line(postage, 1, 0, false)],
        address: address(),
        payment: PaymentChoice { method: Name::from("card"), token: None },
        total: pounds(DUE),
        hold_dispatch: false,
        fields: Fields::new([("source".to_owned(), "536365".to_owned())]).expect("one field fits"),
    }
}

fn address() -> Address {
    let empty = String::new;
    Address {
        name: empty(),
        street: Vec::new(),
        city: empty(),
        postal_code: empty(),
        country: "France".to_owned(),
    }
}

pub(crate) fn fact() -> OrderFact {
    OrderFact { order: order() }
}

pub(crate) fn why(reason: &str) -> OrderWhy {
    OrderWhy { order: order(), reason: reason.to_owned() }
}

pub(crate) fn amount(minor: i64) -> OrderMoney {
    OrderMoney { order: order(), amount: pounds(minor) }
}

pub(crate) fn moved(minor: i64) -> PaymentMoved {
    PaymentMoved { order: order(), amount: pounds(minor), reference: None, fields: Fields::default() }
}

pub(crate) fn payment() -> PaymentOf {
    PaymentOf { order: order(), fields: Fields::default() }
}

pub(crate) fn units(units: u64) -> StockMoved {
    StockMoved { order: order(), units, fields: Fields::default() }
}

pub(crate) fn held(quantity: u32) -> InventoryEvent {
    let line = StockLine { line: 0, sku: sku(), quantity, fields: Fields::default() };
    InventoryEvent::StockReserved(StockReserved {
        order: order(),
        lines: vec![line],
        fields: Fields::default(),
    })
}

pub(crate) fn shipment() -> ShipmentOf {
    ShipmentOf { order: order(), fields: Fields::default() }
}

pub(crate) fn dispatched() -> ShippingEvent {
    let tracking = "T1".to_owned();
    ShippingEvent::ShipmentDispatched(ShipmentDispatched {
        order: order(),
        tracking,
        fields: Fields::default(),
    })
}

fn requested_payment() -> PaymentEvent {
    PaymentEvent::PaymentRequested(RequestPayment {
        order: order(),
        customer: placed().customer,
        choice: placed().payment,
        amount: pounds(DUE),
        nothing_to_send: false,
        fields: Fields::default(),
    })
}

fn requested_shipment() -> ShippingEvent {
    ShippingEvent::ShipmentRequested(ArrangeShipment {
        order: order(),
        address: address(),
        lines: placed().stock_lines(),
        collect: None,
        hold: false,
        fields: Fields::default(),
    })
}

/// A card order that went all the way.
pub(crate) fn completed() -> Facts {
    let arrived = OrderArrived { order: order(), collected: None };
    let delivered = ShipmentDelivered { order: order(), collected: None, fields: Fields::default() };
    let mut facts = confirmed();
    facts.orders.extend([
        OrderEvent::OrderDispatched(OrderTracked { order: order(), tracking: "T1".to_owned() }),
        OrderEvent::OrderPaymentCaptured(amount(DUE)),
        OrderEvent::OrderStockConsumed(fact()),
        OrderEvent::OrderDelivered(arrived),
        OrderEvent::OrderCompleted(fact()),
    ]);
    facts
        .payments
        .extend([PaymentEvent::CaptureRequested(payment()), PaymentEvent::PaymentCaptured(moved(DUE))]);
    facts.stock.push(InventoryEvent::StockConsumed(units(6)));
    facts.shipments.extend([dispatched(), ShippingEvent::ShipmentDelivered(delivered)]);
    facts
}

/// A card order whose shipment was asked for.
pub(crate) fn confirmed() -> Facts {
    let mut facts = Facts::new(order());
    facts.orders = vec![
        OrderEvent::OrderPlaced(Arc::new(placed())),
        OrderEvent::OrderStockHeld(fact()),
        OrderEvent::OrderPaymentAuthorized(amount(DUE)),
        OrderEvent::OrderStockCommitted(fact()),
    ];
    facts.payments = vec![requested_payment(), PaymentEvent::PaymentAuthorized(moved(DUE))];
    facts.stock = vec![held(6), InventoryEvent::StockCommitted(units(6))];
    facts.shipments = vec![requested_shipment()];
    facts
}

/// A card order that was cancelled before its parcel left.
pub(crate) fn cancelled() -> Facts {
    let (by, reason) = ("customer".to_owned(), "changed my mind".to_owned());
    let mut facts = confirmed();
    facts.orders.extend([
        OrderEvent::OrderCancelRequested(CancelOrder { order: order(), by, reason }),
        OrderEvent::OrderShipmentCancelled(fact()),
        OrderEvent::OrderCancelling(fact()),
        OrderEvent::OrderPaymentUndone(amount(0)),
        OrderEvent::OrderStockReleased(fact()),
        OrderEvent::OrderCancelled(why("changed my mind")),
    ]);
    facts
        .payments
        .extend([PaymentEvent::PaymentCancelRequested(payment()), PaymentEvent::PaymentVoided(moved(DUE))]);
    facts.stock.push(InventoryEvent::StockReleased(units(6)));
    facts.shipments.extend([
        ShippingEvent::ShipmentCancelRequested(shipment()),
        ShippingEvent::ShipmentCancelled(shipment()),
    ]);
    facts
}

pub(crate) fn failing(reason: FailureReason) -> OrderFailing {
    OrderFailing { order: order(), reason }
}

/// When everything was recorded.
pub(crate) fn recorded_at() -> Timestamp {
    Timestamp(1_600_000_000_000_000)
}

/// The event as a store gives it back, the `version`-th of its stream.
pub(crate) fn recorded<E: Wire>(kind: &str, version: u64, event: &E) -> Recorded {
    let body = event.encode().expect("encodes");
    let group = match kind {
        "reservation" | "stock" => "inventory",
        "shipment" => "shipping",
        other => other,
    };
    Recorded {
        stream: StreamId::keyed(kind, order().as_str()),
        version,
        event: Event { kind: Name::from(event.kind()), schema: E::SCHEMA, body },
        cause: MessageId(u128::from(version)),
        time: recorded_at(),
        lane: GroupLane::new(group, 0),
        position: version,
    }
}

/// Everything that `facts` were read from, stream by stream.
pub(crate) fn streams(facts: &Facts) -> [Vec<Recorded>; 4] {
    fn all<E: Wire>(kind: &str, events: &[E]) -> Vec<Recorded> {
        (1..).zip(events).map(|(version, event)| recorded(kind, version, event)).collect()
    }
    [
        all("order", &facts.orders),
        all("payment", &facts.payments),
        all("reservation", &facts.stock),
        all("shipment", &facts.shipments),
    ]
}
