//! What the order service hears, read from the wire.

use super::super::{DEADLINE_REACHED, Fault};
use crate::{
    event::{
        Wire as _, inventory::InventoryEvent, order::OrderRequest, payment::PaymentEvent,
        shipping::ShippingEvent, topic,
    },
    message::Message,
    order::Input,
};

/// A message of ours, read.
pub(super) enum Heard {
    Stock(InventoryEvent),
    Payment(PaymentEvent),
    Shipment(ShippingEvent),
    Request(OrderRequest),
    Deadline,
}

impl Heard {
    pub(super) fn read(message: &Message) -> Result<Self, Fault> {
        let (kind, schema, body) = (&*message.envelope.kind, message.envelope.schema, &message.body);
        Ok(match &*message.envelope.topic {
            topic::INVENTORY_EVENTS => Self::Stock(InventoryEvent::decode(kind, schema, body)?),
            topic::PAYMENT_EVENTS => Self::Payment(PaymentEvent::decode(kind, schema, body)?),
            topic::SHIPPING_EVENTS => Self::Shipment(ShippingEvent::decode(kind, schema, body)?),
            topic::ORDER_REQUESTS => Self::Request(OrderRequest::decode(kind, schema, body)?),
            // A deadline never travels: one that comes on a topic is forged, and read as any other word there.
            _ if kind == DEADLINE_REACHED => Self::Deadline,
            other => return Err(Fault::Permanent(format!("the order service does not hear {other}"))),
        })
    }

    pub(super) fn input(&self) -> Input<'_> {
        match self {
            Self::Stock(event) => Input::Stock(event),
            Self::Payment(event) => Input::Payment(event),
            Self::Shipment(event) => Input::Shipment(event),
            Self::Request(OrderRequest::CancelOrder(wish)) => Input::Cancel(wish),
            Self::Deadline => Input::Deadline,
        }
    }
}
