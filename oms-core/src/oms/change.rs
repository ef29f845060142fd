//! What a user asks to happen: placing, cancelling, releasing a dispatch, changing stock.

use super::system::Oms;
use crate::{
    event::{
        Fields, Wire,
        inventory::{AdjustStock, InventoryCommand},
        order::{CancelOrder, OrderPlaced, OrderRequest},
        shipping::{ShipmentOf, ShippingCommand},
        topic,
    },
    id::{Digest, MessageId, Name, OrderId, StreamId},
    message::{Envelope, Key, Message},
    order::{NewOrder, Order, OrderError},
    saga::SagaTimes,
    service::{
        Entry, Fault,
        order::{CancelReply, placement, stream_of},
        shipping::Released,
    },
    store::Within,
    worker::{self, Opening, PlaceError, Reply, RequestError, request},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// An order to place, and what makes its id.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The order.
    pub order: NewOrder,
    /// Who places it, as far as idempotency keys go: a customer, a shop, an import.
    pub principal: String,
    /// The caller's own key of this order: the same key places it once, however often it is tried.
    pub idempotency_key: String,
}

/// An accepted order: durable before this was returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its id, derived from principal and key.
    pub id: OrderId,
    /// Whether it had been placed before.
    pub known: bool,
}

/// Why an order was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlaceRefusal {
    /// The order itself; nothing was stored.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The store or its backlog.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// What a change of stock is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// Whether the stock is changed now, by this call or by an earlier one with its reference.
    pub accepted: bool,
    /// Why not.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Oms {
    /// Places an order: once it returns, the order is durable, and will end as completed, failed or cancelled.
    ///
    /// Dropped half-way it was placed or not; placing it again with the same key tells.
    ///
    /// # Errors
    /// [`PlaceRefusal::Order`] for what can never be an order, [`PlaceRefusal::Place`] for what may be tried again.
    pub async fn place(
        &self,
        order: NewOrder,
        principal: &str,
        idempotency_key: &str,
    ) -> Result<Placed, PlaceRefusal> {
        let (principal, idempotency_key) = (principal.to_owned(), idempotency_key.to_owned());
        let mut answers = self.place_batch(vec![Placement { order, principal, idempotency_key }]).await;
        let nothing = || Err(PlaceRefusal::Place(PlaceError::Refused("no answer for the order".to_owned())));
        answers.pop().unwrap_or_else(nothing)
    }

    /// Places many orders, in as few commits as they need, and answers in their order.
    ///
    /// # Errors
    /// For each order its own, as [`Oms::place`].
    pub async fn place_batch(&self, placements: Vec<Placement>) -> Vec<Result<Placed, PlaceRefusal>> {
        let checked = accepted(placements);
        let opened = self.placer.place(openings(&checked, &self.times)).await;
        answered(checked, opened)
    }

    /// Places orders within a transaction of the user's own: they are seen, and moved on, once that has committed, and were never
    /// placed if it does not. Call [`Oms::wake`] after the commit, lest the loops find them a poll later.
    ///
    /// ```
    /// # async fn checkout(oms: &oms_core::oms::Oms, within: &mut dyn oms_core::store::Within, placement: oms_core::oms::Placement)
    /// # -> Result<(), oms_core::oms::PlaceRefusal> {
    /// // `within` comes from the store; oms-postgres makes it of a `tokio_postgres::Transaction`.
    /// for placed in oms.place_in(within, vec![placement]).await {
    ///     let placed = placed?; // or roll back
    ///     println!("{} will be placed by the commit", placed.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Keep the transaction short: no other order can be placed in the same lanes until it ends. Dropped half-way, or answered with
    /// [`PlaceError::Store`], it must be rolled back.
    ///
    /// # Errors
    /// For each order its own, as [`Oms::place`]; the others are in the transaction.
    pub async fn place_in(
        &self,
        within: &mut dyn Within,
        placements: Vec<Placement>,
    ) -> Vec<Result<Placed, PlaceRefusal>> {
        let checked = accepted(placements);
        let opened = self.placer.place_in(within, openings(&checked, &self.times)).await;
        answered(checked, opened)
    }

    /// Wakes the loops of this process: something was placed that they were not told of.
    pub fn wake(&self) {
        self.parts.wake();
    }

    /// Asks for an order to be cancelled. Accepted means that it will end as cancelled, or, when shipping finds that it has
    /// left already, go on; its story says which.
    ///
    /// # Errors
    /// [`RequestError`]. A refusal by the order is an answer, not an error.
    pub async fn cancel(&self, order: &OrderId, by: &str, reason: &str) -> Result<CancelReply, RequestError> {
        let ask = CancelOrder { order: order.clone(), by: by.to_owned(), reason: reason.to_owned() };
        // Asked again later it is another request, and what it causes has ids of its own: the order has gone on in between.
        let seen =
            self.parts.store.history(&stream_of(order), 0, HISTORY).await.map_err(RequestError::Store)?;
        let version = seen.last().map_or(0, |newest| newest.version);
        let message = outside(topic::ORDER_REQUESTS, order.name(), version, &OrderRequest::CancelOrder(ask))?;
        let parked = CancelReply { accepted: true, reasons: Vec::new() };
        self.asked("order", message, parked).await
    }

    /// Lifts the hold on an order's dispatch (see [`NewOrder::hold_dispatch`]); may be repeated. Refused while no shipment
    /// is planned yet, and once it was cancelled.
    ///
    /// # Errors
    /// [`RequestError`]. A refusal by shipping is an answer, not an error.
    pub async fn release_dispatch(&self, order: &OrderId) -> Result<Released, RequestError> {
        let command =
            ShippingCommand::ReleaseDispatch(ShipmentOf { order: order.clone(), fields: Fields::default() });
        let message = outside(topic::SHIPPING_COMMANDS, order.name(), 0, &command)?;
        self.asked("shipping", message, Released { accepted: true, reason: None }).await
    }

    /// Changes the units on hand of a SKU; the same reference changes it once, however often it is asked.
    ///
    /// # Errors
    /// [`RequestError`]. A refusal by the inventory is an answer, not an error.
    pub async fn adjust_stock(&self, change: AdjustStock) -> Result<Adjusted, RequestError> {
        let key = change.sku.name();
        let message = outside(topic::INVENTORY_COMMANDS, key, 0, &InventoryCommand::AdjustStock(change))?;
        self.asked("inventory", message, Adjusted { accepted: true, reason: None }).await
    }

    async fn asked<R: DeserializeOwned>(
        &self,
        group: &str,
        message: Message,
        accepted: R,
    ) -> Result<R, RequestError> {
        match request(&self.parts, group, message).await? {
            Reply::Accepted => Ok(accepted),
            Reply::Answered(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| RequestError::Refused(format!("its answer cannot be read: {error}"))),
        }
    }
}

/// An order that may be placed, or why it may not.
type Checked = Result<Arc<OrderPlaced>, OrderError>;

fn accepted(placements: Vec<Placement>) -> Vec<Checked> {
    let accept = |one: Placement| one.order.accept(&one.principal, &one.idempotency_key).map(Arc::new);
    placements.into_iter().map(accept).collect()
}

fn openings(checked: &[Checked], times: &Arc<SagaTimes>) -> Vec<Opening> {
    checked.iter().filter_map(|order| order.as_ref().ok()).map(|order| opening(order, times)).collect()
}

/// Puts what became of those that may be placed between the others.
fn answered(
    checked: Vec<Checked>,
    opened: Vec<Result<worker::Placed, PlaceError>>,
) -> Vec<Result<Placed, PlaceRefusal>> {
    let mut opened = opened.into_iter();
    let answer = |order: Checked| {
        let order = order?;
        let placed = opened.next().unwrap_or_else(|| Err(PlaceError::Refused("no answer".to_owned())))?;
        match placed {
            worker::Placed::New => Ok(Placed { id: order.order.clone(), known: false }),
            worker::Placed::Known => Ok(Placed { id: order.order.clone(), known: true }),
            worker::Placed::Mismatch => Err(OrderError::KeyReused { order: order.order.clone() }.into()),
        }
    };
    checked.into_iter().map(answer).collect()
}

fn opening(placed: &Arc<OrderPlaced>, times: &Arc<SagaTimes>) -> Opening {
    let times = Arc::clone(times);
    let (first, again) = (Arc::clone(placed), Arc::clone(placed));
    let key = placed.order.name();
    let id = MessageId(Digest::new("place").text(&key).finish());
    Opening {
        stream: StreamId::keyed("order", &key),
        cause: message(id, "PlaceOrder", "order.placements", key, 1, bytes::Bytes::from_static(b"{}")),
        reaction: Box::new(move || placement(Arc::clone(&first), &times)),
        same: Box::new(move |entry: &Entry| {
            let known = entry.state::<Order>()?.placed().cloned();
            let known =
                known.ok_or_else(|| Fault::Permanent("an order without its first event".to_owned()))?;
            Ok(known.repeated_by(&again).is_ok())
        }),
    }
}

/// The most events an order's stream can have, by far; a request asks for the newest of them.
const HISTORY: usize = 10_000;

/// A request from outside; the same request to a stream of the same version has the same id.
fn outside<W: Wire>(topic: &str, key: Name, version: u64, body: &W) -> Result<Message, RequestError> {
    let encoded = body.encode().map_err(|error| RequestError::Refused(error.to_string()))?;
    let content = Digest::new("request").text(topic).text(&key).text(body.kind()).bytes(&encoded);
    let id = content.number(version.into()).finish();
    Ok(message(MessageId(id), body.kind(), topic, key, W::SCHEMA, encoded))
}

fn message(id: MessageId, kind: &str, topic: &str, key: Name, schema: u16, body: bytes::Bytes) -> Message {
    let envelope = Envelope {
        id,
        cause: id,
        correlation: Name::clone(&key),
        topic: Name::from(topic),
        key: Key::new(key),
        kind: Name::from(kind),
        schema,
        // The turn's own clock says when; a request carries no time.
        time: crate::clock::Timestamp::default(),
        trace: None,
    };
    Message { envelope, body }
}
