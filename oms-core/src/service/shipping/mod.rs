//! The shipping service: arranges parcels, lifts holds, stops what can be stopped, and watches the carrier.

use super::{
    Aggregate, Entry, Fault, Handler, Loaded, Outcome, Reaction, State, append, send,
    watch::{answered, wish},
};
use crate::{
    event::{
        Wire as _,
        shipping::{ArrangeShipment, ShipmentOf, ShippingCommand, ShippingEvent},
        topic,
    },
    gateway::{
        EffectKey,
        carrier::{CARRIER, CarrierRequest},
    },
    id::{Name, OrderId, read_json},
    message::Message,
    shipping::{Decision, Input, Report, Shipment, Step},
    store::{Event, Rank, StreamId},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The group that the shipping service hears in.
pub const GROUP: &str = "shipping";
/// The kind of its streams, one for each order.
pub const KIND: &str = "shipment";

/// What whoever lifts a hold is answered; JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Whether the hold is lifted, now or before.
    pub accepted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Aggregate for Shipment {
    const SCHEMA: u16 = 1;
    type Event = ShippingEvent;

    fn evolve(&mut self, event: &ShippingEvent) {
        Shipment::evolve(self, event);
    }

    fn fixed(&self) -> Option<Bytes> {
        // A request of this library can always be written.
        self.request().and_then(|request| serde_json::to_vec(request).ok()).map(Bytes::from)
    }

    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        Shipment::restore(self, read_json(fixed)?);
        Ok(())
    }
}

/// The shipping service.
///
/// ```
/// use oms_core::service::{Handler, shipping::ShippingService};
/// assert_eq!(&*ShippingService.group(), "shipping");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ShippingService;

impl Handler for ShippingService {
    fn group(&self) -> Name {
        Name::from(GROUP)
    }

    fn hears(&self) -> Vec<Name> {
        vec![Name::from(topic::SHIPPING_COMMANDS)]
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(KIND)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![StreamId::named(Rank::Keyed, KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        hear(message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Shipment>(event)
    }
}

fn hear(message: &Message, loaded: &Loaded) -> Result<Outcome, Fault> {
    let stream = StreamId::named(Rank::Keyed, KIND, message.envelope.key.text());
    let Some(entry) = loaded.get(&stream) else { return Ok(Outcome::Missing(vec![stream])) };
    let now = entry.state::<Shipment>()?;
    if let Some((answered, report)) = answered::<Report>(message)? {
        let step = Step::named(&answered.effect.step)
            .ok_or_else(|| Fault::Permanent(format!("{} is no wish of shipping", answered.effect)))?;
        let Some(request) = now.request() else {
            return Err(Fault::Permanent(format!("{} was never wished", answered.effect)));
        };
        let of = shipment_of(request);
        let decision = now.decide(&of, Input::Report(step, &report));
        if answered.settled && step == Step::Book && decision.events.is_empty() && now.is_watched() {
            // Nobody asks the carrier again, so the order would wait in silence for ever: a person must see it.
            let (order, phase) = (&of.order, now.phase());
            return Err(Fault::Permanent(format!(
                "the carrier's last word on the parcel of {order} ({phase:?}) is {report:?}; settle it by hand"
            )));
        }
        return react(&stream, now, &of, decision, message).map(Outcome::Reaction);
    }
    let envelope = &message.envelope;
    let command = ShippingCommand::decode(&envelope.kind, envelope.schema, &message.body)?;
    // A request from outside (a hold is lifted) does not know the order's own fields; the shipment does.
    let of = now.request().map_or_else(|| about(&command), shipment_of);
    let unclaimed = entry.stream.unclaimed.contains(&key(&of.order, Step::Book));
    let decision = now.decide(&of, Input::Command { command: &command, unclaimed });
    let reason = decision.refused.map(str::to_owned);
    let mut reaction = react(&stream, now, &of, decision, message)?;
    if matches!(command, ShippingCommand::ReleaseDispatch(_)) {
        let reply = serde_json::to_vec(&Released { accepted: reason.is_none(), reason });
        reaction.reply = Some(Bytes::from(reply.map_err(|error| Fault::Permanent(error.to_string()))?));
    }
    Ok(Outcome::Reaction(reaction))
}

fn shipment_of(request: &ArrangeShipment) -> ShipmentOf {
    ShipmentOf { order: request.order.clone(), fields: request.fields.clone() }
}

fn about(command: &ShippingCommand) -> ShipmentOf {
    match command {
        ShippingCommand::ArrangeShipment(request) => shipment_of(request),
        ShippingCommand::CancelShipment(of) | ShippingCommand::ReleaseDispatch(of) => of.clone(),
    }
}

fn key(order: &OrderId, step: Step) -> EffectKey {
    EffectKey::new(order.as_str(), step.name(), 1)
}

fn react(
    stream: &StreamId,
    now: &Shipment,
    of: &ShipmentOf,
    decision: Decision,
    message: &Message,
) -> Result<Reaction, Fault> {
    let mut reaction = Reaction::default();
    for event in decision.again.iter().chain(&decision.events).filter(|event| is_answer(event)) {
        reaction.outgoing.push(send(topic::SHIPPING_EVENTS, &of.order.name(), event)?);
    }
    if decision.withdraw {
        reaction.withdrawn.push(key(&of.order, Step::Book));
    }
    let mut after = now.clone();
    decision.events.iter().for_each(|event| after.evolve(event));
    if let (Some(step), Some(booked)) = (decision.wish, after.request()) {
        let request = match step {
            Step::Book => CarrierRequest::Book {
                address: booked.address.clone(),
                lines: booked.lines.clone(),
                collect: booked.collect,
            },
            Step::Cancel => CarrierRequest::Cancel,
        };
        reaction.effects.push(wish(key(&of.order, step), stream, CARRIER, &request, message)?);
    }
    if !decision.events.is_empty() {
        reaction.appends.push(append(stream.clone(), now, decision.events)?);
    }
    Ok(reaction)
}

/// Whether an event is told to the order; the others are recorded only.
fn is_answer(event: &ShippingEvent) -> bool {
    match event {
        ShippingEvent::ShipmentHeld(_)
        | ShippingEvent::ShipmentDispatched(_)
        | ShippingEvent::ShipmentDelivered(_)
        | ShippingEvent::ShipmentFailed(_)
        | ShippingEvent::ShipmentCancelled(_)
        | ShippingEvent::ShipmentCancelRejected(_) => true,
        ShippingEvent::ShipmentRequested(_)
        | ShippingEvent::DispatchReleased(_)
        | ShippingEvent::ShipmentPlanned(_)
        | ShippingEvent::ShipmentCancelRequested(_) => false,
    }
}
