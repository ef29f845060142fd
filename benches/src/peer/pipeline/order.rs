//! The order task: it leads every order through the other four.

use super::post::{Door, Mail, Post, opened, read};
use crate::{fault::Fault, house::FinishLine};
use oms_core::{
    event::{
        Fields,
        inventory::{InventoryCommand, InventoryEvent, Reservation, ReserveStock},
        order::OrderPlaced,
        payment::{PaymentCommand, PaymentEvent, PaymentOf, RequestPayment},
        public::{About, CompletedOrder, PlacedOrder, PublicEvent, ShippedOrder, Status},
        shipping::{ArrangeShipment, ShippingCommand, ShippingEvent},
    },
    id::{MessageId, OrderId},
    message::Message,
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::mpsc::UnboundedReceiver;

/// One order on its way: what is still to come.
struct Way {
    placed: Arc<OrderPlaced>,
    consumed: bool,
    captured: bool,
    delivered: bool,
}

pub(super) struct OrderTask {
    pub(super) post: Post,
    pub(super) line: Arc<FinishLine>,
    ways: HashMap<OrderId, Way>,
}

impl OrderTask {
    pub(super) fn new(post: Post, line: Arc<FinishLine>) -> Self {
        Self { post, line, ways: HashMap::new() }
    }

    pub(super) async fn serve(mut self, mut mail: UnboundedReceiver<Mail>) -> Result<(), Fault> {
        while let Some(mail) = mail.recv().await {
            match mail {
                Mail::Placed(placed) => self.placed(placed)?,
                Mail::Pack(pack) => self.heard(&opened(&pack)?)?,
            }
        }
        Ok(())
    }

    fn placed(&mut self, placed: Arc<OrderPlaced>) -> Result<(), Fault> {
        let (order, lines) = (placed.order.clone(), placed.stock_lines());
        let reserve = ReserveStock { order: order.clone(), lines, fields: Fields::default() };
        let cause = MessageId(0);
        self.post.send(Door::Inventory, &order, cause, &InventoryCommand::ReserveStock(reserve))?;
        let about = about(&placed, Status::Pending);
        let public = PublicEvent::OrderPlaced(PlacedOrder { about, lines: placed.lines.clone() });
        self.post.send(Door::Notification, &order, cause, &public)?;
        let way = Way { placed, consumed: false, captured: false, delivered: false };
        self.ways.insert(order, way);
        Ok(())
    }

    fn heard(&mut self, message: &Message) -> Result<(), Fault> {
        match &*message.envelope.kind {
            "StockReserved" | "StockCommitted" | "StockConsumed" => self.stock(message),
            "PaymentAuthorized" | "PaymentCaptured" => self.payment(message),
            "ShipmentDispatched" | "ShipmentDelivered" => self.parcel(message),
            other => Err(Fault::void(format!("the pipeline does not know {other}"))),
        }
    }

    fn way(&mut self, order: &OrderId) -> Result<&mut Way, Fault> {
        self.ways.get_mut(order).ok_or_else(|| Fault::void("an order that is not on its way"))
    }

    fn stock(&mut self, message: &Message) -> Result<(), Fault> {
        let cause = message.envelope.id;
        match read(message)? {
            InventoryEvent::StockReserved(held) => {
                let placed = Arc::clone(&self.way(&held.order)?.placed);
                let request = RequestPayment {
                    order: held.order.clone(),
                    customer: placed.customer.clone(),
                    choice: placed.payment.clone(),
                    amount: placed.total,
                    nothing_to_send: false,
                    fields: Fields::default(),
                };
                self.post.send(Door::Payment, &held.order, cause, &PaymentCommand::RequestPayment(request))
            }
            InventoryEvent::StockCommitted(moved) => {
                let placed = Arc::clone(&self.way(&moved.order)?.placed);
                let parcel = ArrangeShipment {
                    order: moved.order.clone(),
                    address: placed.address.clone(),
                    lines: placed.stock_lines(),
                    collect: None,
                    hold: false,
                    fields: Fields::default(),
                };
                self.post.send(Door::Shipping, &moved.order, cause, &ShippingCommand::ArrangeShipment(parcel))
            }
            InventoryEvent::StockConsumed(moved) => {
                self.way(&moved.order)?.consumed = true;
                self.complete(&moved.order, cause)
            }
            InventoryEvent::StockRejected(_)
            | InventoryEvent::StockCommitRejected(_)
            | InventoryEvent::StockReleased(_) => Err(Fault::void("the pipeline ran out of stock")),
        }
    }

    fn payment(&mut self, message: &Message) -> Result<(), Fault> {
        let cause = message.envelope.id;
        let event = read(message)?;
        if let PaymentEvent::PaymentAuthorized(moved) = &event {
            let order = &moved.order;
            let commit = Reservation { order: order.clone(), fields: Fields::default() };
            return self.post.send(Door::Inventory, order, cause, &InventoryCommand::CommitStock(commit));
        }
        if let PaymentEvent::PaymentCaptured(moved) = &event {
            self.way(&moved.order)?.captured = true;
            return self.complete(&moved.order, cause);
        }
        Err(Fault::void("the pipeline's payment did not go through"))
    }

    fn parcel(&mut self, message: &Message) -> Result<(), Fault> {
        let cause = message.envelope.id;
        let event = read(message)?;
        if let ShippingEvent::ShipmentDispatched(parcel) = &event {
            let order = &parcel.order;
            let about = about(&self.way(order)?.placed, Status::Shipped);
            let (fields, again) = (Fields::default(), Fields::default());
            let consume = Reservation { order: order.clone(), fields };
            self.post.send(Door::Inventory, order, cause, &InventoryCommand::ConsumeStock(consume))?;
            let capture = PaymentOf { order: order.clone(), fields: again };
            self.post.send(Door::Payment, order, cause, &PaymentCommand::CapturePayment(capture))?;
            let shipped = ShippedOrder { about, tracking: parcel.tracking.clone() };
            return self.post.send(Door::Notification, order, cause, &PublicEvent::OrderShipped(shipped));
        }
        if let ShippingEvent::ShipmentDelivered(parcel) = &event {
            self.way(&parcel.order)?.delivered = true;
            return self.complete(&parcel.order, cause);
        }
        Err(Fault::void("the pipeline's parcel was not sent"))
    }

    fn complete(&mut self, order: &OrderId, cause: MessageId) -> Result<(), Fault> {
        let way = self.way(order)?;
        if !(way.consumed && way.captured && way.delivered) {
            return Ok(());
        }
        let about = about(&way.placed, Status::Completed);
        self.ways.remove(order);
        let completed = PublicEvent::OrderCompleted(CompletedOrder { about });
        self.post.send(Door::Notification, order, cause, &completed)?;
        self.line.end(order.name());
        Ok(())
    }
}

fn about(placed: &OrderPlaced, status: Status) -> About {
    About {
        order: placed.order.clone(),
        customer: placed.customer.clone(),
        total: placed.total,
        method: placed.payment.method.clone(),
        status,
        fields: Fields::default(),
    }
}
