//! Bugs of the order service: what it makes of a wish to cancel, of a doubtful decline, and of a late reply.

use oms_core::{
    event::{
        Wire as _,
        order::OrderEvent,
        payment::{PaymentCommand, PaymentEvent, PaymentOf},
        topic,
    },
    id::StreamId,
    message::Message,
    order::Order,
    service::{Fault, Handler, Loaded, Outcome, append, order::KIND, send},
};
use std::sync::Arc;

fn order<'a>(message: &Message, loaded: &'a Loaded) -> Result<(StreamId, Option<&'a Order>), Fault> {
    let stream = StreamId::keyed(KIND, message.envelope.key.text());
    let order = loaded.state::<Order>(&stream)?;
    Ok((stream, order))
}

/// Asks for the money back as soon as somebody wants to cancel.
pub(super) fn refund_on_request(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let mut outcome = inside.handle(message, loaded);
    let (_, now) = order(message, loaded)?;
    if let (Outcome::Reaction(reaction), Some(placed)) = (&mut outcome, now.and_then(Order::placed))
        && &*message.envelope.kind == "CancelOrder"
        && !reaction.appends.is_empty()
        && !reaction.outgoing.iter().any(|one| &*one.kind == "CancelPayment")
    {
        let of = PaymentOf { order: placed.order.clone(), fields: placed.fields.clone() };
        let undo = PaymentCommand::CancelPayment(of);
        reaction.outgoing.push(send(topic::PAYMENT_COMMANDS, &placed.order.name(), &undo)?);
    }
    Ok(outcome)
}

/// Believes every decline.
pub(super) fn provisional_is_final(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let envelope = &message.envelope;
    if &*envelope.kind != "PaymentDeclined" || &*envelope.topic != topic::PAYMENT_EVENTS {
        return Ok(inside.handle(message, loaded));
    }
    let mut event = PaymentEvent::decode(&envelope.kind, envelope.schema, &message.body)?;
    if let PaymentEvent::PaymentDeclined(declined) = &mut event {
        declined.last_word = true;
    }
    let believed = Message { body: event.encode()?, ..message.clone() };
    Ok(inside.handle(&believed, loaded))
}

/// Goes on with the order whenever its stock is held, whatever has become of it by then.
pub(super) fn without_phase(
    inside: &dyn Handler,
    message: &Message,
    loaded: &Loaded,
) -> Result<Outcome, Fault> {
    let outcome = inside.handle(message, loaded);
    let (stream, now) = order(message, loaded)?;
    let late = matches!(&outcome, Outcome::Reaction(reaction) if reaction.appends.is_empty());
    let Some(placed) = now.and_then(Order::placed).filter(|_| late) else { return Ok(outcome) };
    if &*message.envelope.kind != "StockReserved" {
        return Ok(outcome);
    }
    let begun = append(stream.clone(), &Order::default(), vec![OrderEvent::OrderPlaced(Arc::clone(placed))])?;
    let mut known = loaded.clone();
    if let (Some(entry), Some(next)) = (known.0.get_mut(&stream), begun.next) {
        let version = entry.stream.version;
        entry.advance(version, next);
    }
    let mut outcome = inside.handle(message, &known);
    if let Outcome::Reaction(reaction) = &mut outcome {
        // What is recorded must be the fold over what really happened.
        reaction.appends.iter_mut().for_each(|append| append.next = None);
    }
    Ok(outcome)
}
