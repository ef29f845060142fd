//! The order service: hears the participants' answers, requests and deadlines, and says what follows.

mod aggregate;
mod announce;
mod heard;
mod react;
mod stream;
#[cfg(test)]
mod tests;

pub use stream::{GROUP, KIND, stream_of};

use super::{Entry, Fault, Handler, Loaded, Outcome, Reaction, State};
use crate::{
    event::{
        order::{OrderEvent, OrderPlaced},
        topic,
    },
    id::Name,
    message::Message,
    order::{Order, Phase},
    saga::SagaTimes,
    store::{Event, Rank, StreamId},
};
use bytes::Bytes;
use heard::Heard;
use react::react;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a cancel request is answered; JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// Whether it will be stopped, if it still can be: while a parcel is being arranged, shipping has the last word.
    pub accepted: bool,
    /// Why not; empty when it is accepted.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// What placing an order causes, for the turn that accepts it: its first event, the first step of its saga with its
/// deadline, and the public word. The stream must be new: whoever places looks first (rule 7).
///
/// # Errors
/// [`Fault::Permanent`] when it cannot be encoded, which no order of this library causes.
pub fn placement(placed: Arc<OrderPlaced>, times: &SagaTimes) -> Result<Reaction, Fault> {
    react(&Order::default(), vec![OrderEvent::OrderPlaced(placed)], times)
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
        let stream = StreamId::named(Rank::Keyed, KIND, message.envelope.key.text());
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
        vec![StreamId::named(Rank::Keyed, KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        self.hear(message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Order>(event)
    }
}

fn encode(reply: &CancelReply) -> Result<Bytes, Fault> {
    let body = serde_json::to_vec(reply);
    body.map(Bytes::from).map_err(|error| Fault::Permanent(format!("a reply cannot be written: {error}")))
}
