//! Facts: what the recorded events say of one order, and of one SKU, decoded and nothing more.

use crate::{
    clock::Timestamp,
    event::{
        Wire,
        inventory::{InventoryEvent, StockEvent},
        order::{OrderEvent, OrderPlaced},
        payment::PaymentEvent,
        shipping::ShippingEvent,
    },
    id::{OrderId, Sku},
    store::Recorded,
};

/// The kinds of the streams of one order that say something about its figures.
pub const ORDER_KINDS: [&str; 4] = ["order", "payment", "reservation", "shipment"];
/// The kind of the streams of SKUs.
pub const STOCK_KIND: &str = "stock";

/// What was recorded of one order, stream by stream, each in its order; streams may be added in any interleaving.
///
/// ```
/// use oms_core::{id::order_id, projection::Facts};
/// let facts = Facts::new(order_id("shop", "1"));
/// assert!(facts.placed().is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The order.
    pub order: OrderId,
    /// What the order's own stream says.
    pub orders: Vec<OrderEvent>,
    /// What its payment stream says.
    pub payments: Vec<PaymentEvent>,
    /// What its reservation says.
    pub stock: Vec<InventoryEvent>,
    /// What its shipment says.
    pub shipments: Vec<ShippingEvent>,
    /// What could not be read, in words.
    pub unread: Vec<String>,
    /// When the newest of these was recorded.
    pub newest: Timestamp,
    /// When a person was asked to look, last; `None` when nobody ever was.
    pub asked: Option<Timestamp>,
}

impl Facts {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(order: OrderId) -> Self {
        let (orders, payments, stock, shipments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (newest, asked) = (Timestamp::default(), None);
        Self { order, orders, payments, stock, shipments, unread: Vec::new(), newest, asked }
    }

    /// Adds a recorded event of one of the [`ORDER_KINDS`]; the events of one stream come in its order. What cannot be
    /// read is noted, and streams of other kinds say nothing here.
    pub fn add(&mut self, recorded: &Recorded) {
        let unread = match &*recorded.stream.kind {
            "order" => read(recorded, &mut self.orders),
            "payment" => read(recorded, &mut self.payments),
            "reservation" => read(recorded, &mut self.stock),
            "shipment" => read(recorded, &mut self.shipments),
            // Kinds are open: notices, incidents and a user's own streams carry no figures.
            _ => return,
        };
        self.unread.extend(unread);
        self.unread.sort();
        self.newest = self.newest.max(recorded.time);
        if &*recorded.stream.kind == "order"
            && matches!(self.orders.last(), Some(OrderEvent::OrderNeedsAttention(_)))
        {
            self.asked = Some(recorded.time);
        }
    }

    /// What was placed; `None` when the order's first event is missing.
    #[must_use]
    pub fn placed(&self) -> Option<&OrderPlaced> {
        match self.orders.first() {
            Some(OrderEvent::OrderPlaced(placed)) => Some(placed),
            _ => None,
        }
    }
}

/// What was recorded of one SKU, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkuFacts {
    /// The SKU.
    pub sku: Sku,
    /// What its stream says.
    pub events: Vec<StockEvent>,
    /// What could not be read, in words.
    pub unread: Vec<String>,
}

impl SkuFacts {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(sku: Sku) -> Self {
        Self { sku, events: Vec::new(), unread: Vec::new() }
    }

    /// Adds the next recorded event of the SKU's stream.
    pub fn add(&mut self, recorded: &Recorded) {
        self.unread.extend(read(recorded, &mut self.events));
    }
}

fn read<E: Wire>(recorded: &Recorded, into: &mut Vec<E>) -> Option<String> {
    let event = &recorded.event;
    match E::decode(&event.kind, event.schema, &event.body) {
        Ok(event) => {
            into.push(event);
            None
        }
        Err(error) => Some(format!("{} version {}: {error}", recorded.stream, recorded.version)),
    }
}
