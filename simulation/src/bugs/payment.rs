//! Bugs of the payment service: what it makes of an undo while nobody knows whether the payment was made.

use bytes::Bytes;
use oms_core::{
    event::{
        Wire as _,
        payment::{PaymentCommand, PaymentEvent, PaymentOf},
        topic,
    },
    gateway::{Effect, EffectKey, payment::PaymentRequest},
    id::StreamId,
    message::Message,
    payment::{Payment, Phase, Step},
    service::{Fault, Handler, Loaded, Outcome, Reaction, append, payment::KIND, send},
};
use std::time::Duration;

/// The undo, and the payment that it is for, while nobody knows whether it was made.
fn unknown<'a>(
    message: &Message,
    loaded: &'a Loaded,
) -> Result<Option<(PaymentOf, StreamId, &'a Payment)>, Fault> {
    let envelope = &message.envelope;
    if &*envelope.kind != "CancelPayment" {
        return Ok(None);
    }
    let command = PaymentCommand::decode(&envelope.kind, envelope.schema, &message.body)?;
    let stream = StreamId::keyed(KIND, envelope.key.text());
    let (PaymentCommand::CancelPayment(of), Some(now)) = (command, loaded.state::<Payment>(&stream)?) else {
        return Ok(None);
    };
    let open = [Phase::Asked, Phase::ActionRequired, Phase::Pending, Phase::Doubtful].contains(&now.phase());
    Ok(open.then_some((of, stream, now)))
}

/// Says that nothing was taken.
pub(super) fn unknown_is_none(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let Some((of, stream, now)) = unknown(message, loaded)? else {
        return Ok(inside.handle(message, loaded));
    };
    let nothing = PaymentEvent::PaymentNotStarted(of.clone());
    let events = vec![PaymentEvent::PaymentCancelRequested(of), nothing.clone()];
    Ok(Outcome::Reaction(Reaction {
        outgoing: vec![send(topic::PAYMENT_EVENTS, message.envelope.key.text(), &nothing)?],
        appends: vec![append(stream, now, events)?],
        ..Reaction::default()
    }))
}

/// Tells the provider to undo it at once.
pub(super) fn undo_at_once(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let mut outcome = inside.handle(message, loaded);
    let Some((_, stream, now)) = unknown(message, loaded)? else { return Ok(outcome) };
    if let (Outcome::Reaction(reaction), Some(request)) = (&mut outcome, now.request())
        && reaction.withdrawn.is_empty()
    {
        let method = &request.choice.method;
        let step = if &**method == "card" { Step::Void } else { Step::Refund };
        let wish = PaymentRequest {
            wish: step,
            method: method.clone(),
            customer: request.customer.clone(),
            amount: request.amount,
            token: request.choice.token.clone(),
            window: Duration::ZERO,
        };
        let body = serde_json::to_vec(&wish).map_err(|error| Fault::Permanent(error.to_string()))?;
        reaction.effects.push(Effect {
            key: EffectKey::new(request.order.as_str(), step.name(), 1),
            stream,
            gateway: method.clone(),
            request: Bytes::from(body),
            cause: message.envelope.id,
        });
    }
    Ok(outcome)
}
