//! The order service: hears the participants' answers, requests and deadlines, and says what follows.

mod announce;

use super::{
    Aggregate, DEADLINE_REACHED, DueIn, Entry, Fault, Handler, Loaded, Outcome, Outgoing, Reaction, State,
    append, send,
};
use crate::{
    event::{
        Wire as _,
        inventory::InventoryEvent,
        order::{OrderEvent, OrderPlaced, OrderRequest},
        payment::PaymentEvent,
        shipping::ShippingEvent,
        topic,
    },
    id::{Name, OrderId},
    message::Message,
    order::{Input, Order, Phase},
    saga::{Command, Follow, SagaClock, SagaTimes, follow},
    store::{Event, StreamId},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The group that the order service hears in.
pub const GROUP: &str = "order";
/// The kind of its streams.
pub const KIND: &str = "order";

/// What a cancel request is answered; JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// Whether it will be stopped, if it still can be: while a parcel is being arranged, shipping has the last word.
    pub accepted: bool,
    /// Why not; empty when it is accepted.
    #[serde(default)]
    pub reasons: Vec<String>,
}

impl Aggregate for Order {
    const SCHEMA: u16 = 1;
    type Event = OrderEvent;

    fn evolve(&mut self, event: &OrderEvent) {
        Order::evolve(self, event);
    }

    fn fixed(&self) -> Option<Bytes> {
        // A placed order of this library can always be written.
        self.placed().and_then(|placed| serde_json::to_vec(&**placed).ok()).map(Bytes::from)
    }

    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        let placed: OrderPlaced = serde_json::from_slice(fixed)?;
        Order::restore(self, Arc::new(placed));
        Ok(())
    }
}

/// The stream of an order.
#[must_use]
pub fn stream_of(order: &OrderId) -> StreamId {
    StreamId::keyed(KIND, order.as_str())
}

/// What placing an order causes, for the turn that accepts it: its first event, the first step of its saga with its
/// deadline, and the public word. The stream must be new: whoever places looks first (rule 7).
///
/// # Errors
/// [`Fault::Permanent`] when it cannot be encoded, which no order of this library causes.
pub fn placement(placed: OrderPlaced, times: &SagaTimes) -> Result<Reaction, Fault> {
    react(&Order::default(), vec![OrderEvent::OrderPlaced(Arc::new(placed))], times)
}

/// The order service. It owns the streams of kind [`KIND`], one for each order, and the saga is inside them.
///
/// ```
/// use oms_core::{saga::SagaTimes, service::{Handler, order::OrderService}};
/// let service = OrderService::new(SagaTimes::default());
/// assert_eq!(&*service.group(), "order");
/// ```
#[derive(Clone, Debug, Default)]
pub struct OrderService {
    times: SagaTimes,
}

impl OrderService {
    /// Makes the service, with how long the steps of its sagas may take.
    #[must_use]
    pub fn new(times: SagaTimes) -> Self {
        Self { times }
    }

    fn hear(&self, message: &Message, loaded: &Loaded) -> Result<Outcome, Fault> {
        let heard = Heard::read(message)?;
        let stream = StreamId::keyed(KIND, message.envelope.key.text());
        let Some(order) = loaded.state::<Order>(&stream)? else { return Ok(Outcome::Missing(vec![stream])) };
        if order.phase() != Phase::Unplaced && order.placed().is_none() {
            return Err(Fault::Permanent(format!("the fixed part of {stream} is missing")));
        }
        let (events, reply) = match order.decide(&heard.input()) {
            Ok(events) => (events, CancelReply { accepted: true, reasons: Vec::new() }),
            Err(refusal) => (Vec::new(), CancelReply { accepted: false, reasons: refusal.reasons }),
        };
        let mut reaction = react(order, events, &self.times)?;
        if matches!(heard, Heard::Request(_)) {
            reaction.reply = Some(encode(&reply)?);
        }
        Ok(Outcome::Reaction(reaction))
    }
}

impl Handler for OrderService {
    fn group(&self) -> Name {
        Name::from(GROUP)
    }

    fn hears(&self) -> Vec<Name> {
        let topics =
            [topic::ORDER_REQUESTS, topic::INVENTORY_EVENTS, topic::PAYMENT_EVENTS, topic::SHIPPING_EVENTS];
        topics.map(Name::from).to_vec()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(KIND)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![StreamId::keyed(KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        self.hear(message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Order>(event)
    }
}

/// A message of ours, read.
enum Heard {
    Stock(InventoryEvent),
    Payment(PaymentEvent),
    Shipment(ShippingEvent),
    Request(OrderRequest),
    Deadline,
}

impl Heard {
    fn read(message: &Message) -> Result<Self, Fault> {
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

    fn input(&self) -> Input<'_> {
        match self {
            Self::Stock(event) => Input::Stock(event),
            Self::Payment(event) => Input::Payment(event),
            Self::Shipment(event) => Input::Shipment(event),
            Self::Request(OrderRequest::CancelOrder(wish)) => Input::Cancel(wish),
            Self::Deadline => Input::Deadline,
        }
    }
}

/// Everything that follows from `events` on an order: the events, the saga's words, the deadline, the public words.
fn react(before: &Order, events: Vec<OrderEvent>, times: &SagaTimes) -> Result<Reaction, Fault> {
    if events.is_empty() {
        return Ok(Reaction::default());
    }
    let mut after = before.clone();
    events.iter().for_each(|event| after.evolve(event));
    let Some(placed) = after.placed() else { return Ok(Reaction::default()) };
    let (stream, key) = (stream_of(&placed.order), placed.order.name());
    let Follow { commands, clock } = follow(before, &after, times);
    let deadline = clock.map(|clock| (stream.clone(), due(clock, &commands)));
    let mut outgoing = Vec::with_capacity(commands.len() + 1);
    for command in &commands {
        outgoing.push(tell(&key, command)?);
    }
    for event in &events {
        outgoing.extend(announce::published(&after, event)?);
    }
    Ok(Reaction {
        appends: vec![append(stream, before, events)?],
        outgoing,
        deadlines: deadline.into_iter().collect(),
        ..Reaction::default()
    })
}

fn due(clock: SagaClock, commands: &[Command]) -> Option<DueIn> {
    match clock {
        SagaClock::Stop => None,
        SagaClock::Start { delay, command } => {
            // Commands are the first messages of a reaction, so they have the same places there.
            let waits_for = commands.get(command).map(|told| (command, Name::from(hearer(told))));
            Some(DueIn { delay, waits_for })
        }
    }
}

/// The group that hears a command.
fn hearer(command: &Command) -> &'static str {
    match command {
        Command::Inventory(_) => "inventory",
        Command::Payment(_) => "payment",
        Command::Shipping(_) => "shipping",
    }
}

fn tell(key: &Name, command: &Command) -> Result<Outgoing, Fault> {
    match command {
        Command::Inventory(command) => send(topic::INVENTORY_COMMANDS, key, command),
        Command::Payment(command) => send(topic::PAYMENT_COMMANDS, key, command),
        Command::Shipping(command) => send(topic::SHIPPING_COMMANDS, key, command),
    }
}

fn encode(reply: &CancelReply) -> Result<Bytes, Fault> {
    let body = serde_json::to_vec(reply);
    body.map(Bytes::from).map_err(|error| Fault::Permanent(format!("a reply cannot be written: {error}")))
}

#[cfg(test)]
mod tests;
