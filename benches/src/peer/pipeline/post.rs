//! The post: every message is encoded where it is sent, and decoded where it is heard.

use crate::fault::Fault;
use bytes::Bytes;
use oms_broker::{Clock as _, SystemClock};
use oms_core::{
    event::{Wire, order::OrderPlaced},
    id::{MessageId, OrderId},
    message::{Codec as _, Envelope, GroupLane, Json, Key, Message, PackId},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc::UnboundedSender;

/// What a task finds in its box.
pub(super) enum Mail {
    /// An accepted order.
    Placed(Arc<OrderPlaced>),
    /// A pack of one message.
    Pack(Bytes),
}

/// Who hears.
#[derive(Clone, Copy)]
pub(super) enum Door {
    Order,
    Payment,
    Inventory,
    Shipping,
    Notification,
}

impl Door {
    fn topic(self) -> &'static str {
        match self {
            Self::Order => "order.events",
            Self::Payment => "payment.commands",
            Self::Inventory => "inventory.commands",
            Self::Shipping => "shipping.commands",
            Self::Notification => "order.public",
        }
    }
}

/// A way to every box, for one sender.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) sender: GroupLane,
    pub(super) boxes: Arc<[UnboundedSender<Mail>; 5]>,
    pub(super) sent: Arc<AtomicU64>,
}

impl Post {
    /// Sends `body` about `order` to one box.
    pub(super) fn send<W: Wire>(
        &self,
        to: Door,
        order: &OrderId,
        cause: MessageId,
        body: &W,
    ) -> Result<(), Fault> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let envelope = Envelope {
            id: MessageId(number.into()),
            cause,
            correlation: order.name(),
            topic: to.topic().into(),
            key: Key::new(order.name()),
            kind: body.kind().into(),
            schema: W::SCHEMA,
            time: SystemClock.now(),
            trace: None,
        };
        let body = body.encode().map_err(Fault::measured)?;
        let id = PackId { sender: self.sender.clone(), position: number };
        let pack = Json.encode(&id, &[Message { envelope, body }]).map_err(Fault::measured)?;
        self.put(to, Mail::Pack(pack))
    }

    /// Puts mail into a box.
    pub(super) fn put(&self, to: Door, mail: Mail) -> Result<(), Fault> {
        self.boxes[to as usize].send(mail).map_err(|_| Fault::void("a task of the pipeline has ended"))
    }
}

/// The one message of a pack.
pub(super) fn opened(pack: &Bytes) -> Result<Message, Fault> {
    let (_, mut messages) = Json.decode(pack).map_err(Fault::measured)?;
    messages.pop().ok_or_else(|| Fault::void("an empty pack"))
}

/// What a message says.
pub(super) fn read<W: Wire>(message: &Message) -> Result<W, Fault> {
    W::decode(&message.envelope.kind, message.envelope.schema, &message.body).map_err(Fault::measured)
}
