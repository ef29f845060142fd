//! The other four tasks: maps and counters, as trivial as an honest one can be.

use super::post::{Door, Mail, Post, opened, read};
use crate::fault::Fault;
use oms_core::{
    event::{
        Fields,
        inventory::{InventoryCommand, InventoryEvent, StockLine, StockMoved, StockReserved},
        payment::{PaymentCommand, PaymentEvent, PaymentMoved},
        public::PublicEvent,
        shipping::{ShipmentDelivered, ShipmentDispatched, ShippingCommand, ShippingEvent},
    },
    id::{OrderId, Sku},
    message::Message,
    money::Money,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc::UnboundedReceiver;

/// A service of the pipeline.
pub(super) trait Service: Send {
    /// Hears one message, and sends what follows.
    fn hear(&mut self, message: &Message, post: &Post) -> Result<(), Fault>;
}

/// Hears everything that comes into one box.
pub(super) async fn serve(
    mut service: impl Service,
    post: Post,
    mut mail: UnboundedReceiver<Mail>,
) -> Result<(), Fault> {
    while let Some(mail) = mail.recv().await {
        if let Mail::Pack(pack) = mail {
            service.hear(&opened(&pack)?, &post)?;
        }
    }
    Ok(())
}

/// Units on hand and held of each SKU, and the lines of each reservation.
#[derive(Default)]
pub(super) struct Inventory {
    shelves: HashMap<Sku, (i64, i64)>,
    reservations: HashMap<OrderId, Vec<StockLine>>,
}

const UNITS: i64 = 1_000_000_000;

impl Inventory {
    fn units(&self, order: &OrderId) -> u64 {
        self.reservations.get(order).into_iter().flatten().map(|line| u64::from(line.quantity)).sum()
    }

    fn hold(&mut self, line: &StockLine) -> Result<(), Fault> {
        let (on_hand, held) = self.shelves.entry(line.sku.clone()).or_insert((UNITS, 0));
        *held += i64::from(line.quantity);
        if held > on_hand { Err(Fault::void("the pipeline ran out of stock")) } else { Ok(()) }
    }
}

impl Service for Inventory {
    fn hear(&mut self, message: &Message, post: &Post) -> Result<(), Fault> {
        let fields = Fields::default();
        let (order, event) = match read(message)? {
            InventoryCommand::ReserveStock(asked) => {
                asked.lines.iter().try_for_each(|line| self.hold(line))?;
                self.reservations.insert(asked.order.clone(), asked.lines.clone());
                let held = StockReserved { order: asked.order.clone(), lines: asked.lines, fields };
                (asked.order, InventoryEvent::StockReserved(held))
            }
            InventoryCommand::CommitStock(of) => {
                let moved = StockMoved { order: of.order.clone(), units: self.units(&of.order), fields };
                (of.order, InventoryEvent::StockCommitted(moved))
            }
            InventoryCommand::ConsumeStock(of) => {
                let units = self.units(&of.order);
                for line in self.reservations.remove(&of.order).unwrap_or_default() {
                    let shelf = self.shelves.entry(line.sku).or_default();
                    shelf.0 -= i64::from(line.quantity);
                    shelf.1 -= i64::from(line.quantity);
                }
                let moved = StockMoved { order: of.order.clone(), units, fields };
                (of.order, InventoryEvent::StockConsumed(moved))
            }
            InventoryCommand::ReleaseStock(_) | InventoryCommand::AdjustStock(_) => return Ok(()),
        };
        post.send(Door::Order, &order, message.envelope.id, &event)
    }
}

/// The amount of each payment that is authorised.
#[derive(Default)]
pub(super) struct Payment(HashMap<OrderId, Money>);

impl Service for Payment {
    fn hear(&mut self, message: &Message, post: &Post) -> Result<(), Fault> {
        let fields = Fields::default();
        let (order, event) = match read(message)? {
            PaymentCommand::RequestPayment(asked) => {
                self.0.insert(asked.order.clone(), asked.amount);
                let (order, amount) = (asked.order.clone(), asked.amount);
                let reference = Some(format!("p-{order}"));
                let moved = PaymentMoved { order, amount, reference, fields };
                (asked.order, PaymentEvent::PaymentAuthorized(moved))
            }
            PaymentCommand::CapturePayment(of) => {
                let amount = self.0.remove(&of.order).ok_or_else(|| Fault::void("nothing to capture"))?;
                let reference = Some(format!("p-{}", of.order));
                let moved = PaymentMoved { order: of.order.clone(), amount, reference, fields };
                (of.order, PaymentEvent::PaymentCaptured(moved))
            }
            PaymentCommand::CancelPayment(_) | PaymentCommand::RecordCollection(_) => return Ok(()),
        };
        post.send(Door::Order, &order, message.envelope.id, &event)
    }
}

/// The parcels that were sent, counted.
#[derive(Default)]
pub(super) struct Shipping(u64);

impl Service for Shipping {
    fn hear(&mut self, message: &Message, post: &Post) -> Result<(), Fault> {
        let ShippingCommand::ArrangeShipment(parcel) = read(message)? else { return Ok(()) };
        self.0 += 1;
        let (order, tracking, cause) = (parcel.order, format!("T{}", self.0), message.envelope.id);
        let (fields, again) = (Fields::default(), Fields::default());
        let left = ShipmentDispatched { order: order.clone(), tracking, fields };
        post.send(Door::Order, &order, cause, &ShippingEvent::ShipmentDispatched(left))?;
        let arrived = ShipmentDelivered { order: order.clone(), collected: None, fields: again };
        post.send(Door::Order, &order, cause, &ShippingEvent::ShipmentDelivered(arrived))
    }
}

/// The notices that were sent, counted.
pub(super) struct Notification(pub(super) Arc<AtomicU64>);

impl Service for Notification {
    fn hear(&mut self, message: &Message, _: &Post) -> Result<(), Fault> {
        let _: PublicEvent = read(message)?;
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
