//! The step from typed decisions to what a turn writes: events beside their folded state, and messages.

use super::{Aggregate, Append, Fault, Outgoing};
use crate::{
    event::Wire,
    id::Name,
    message::Key,
    store::{Event, StreamId},
};
use std::sync::Arc;

/// Encodes `events` for `stream`, and folds them onto `now`, the state before them.
///
/// The given state is left as it is; the folded one travels in [`Append::next`], so that the worker need not decode what
/// was just encoded. `events` must hold at least one event.
///
/// # Errors
/// [`Fault::Permanent`] when an event cannot be encoded, which no type of this library causes.
pub fn append<A: Aggregate>(stream: StreamId, now: &A, events: Vec<A::Event>) -> Result<Append, Fault> {
    let mut next = now.clone();
    events.iter().for_each(|event| next.evolve(event));
    folded(stream, next, &events)
}

/// Encodes `events` for `stream`, beside the state after them, which the caller has folded.
pub(super) fn folded<A: Aggregate>(stream: StreamId, next: A, events: &[A::Event]) -> Result<Append, Fault> {
    let events = events.iter().map(record).collect::<Result<_, _>>()?;
    Ok(Append { stream, events, next: Some(Arc::new(next)) })
}

/// Encodes one event as it is recorded for ever.
///
/// # Errors
/// [`Fault::Permanent`] when it cannot be encoded.
pub fn record<W: Wire>(event: &W) -> Result<Event, Fault> {
    Ok(Event { kind: Name::from(event.kind()), schema: W::SCHEMA, body: event.encode()? })
}

/// Encodes a command or an event as a message to `topic`, ordered by `key`.
///
/// # Errors
/// [`Fault::Permanent`] when it cannot be encoded.
pub fn send<W: Wire>(topic: &str, key: &Name, body: &W) -> Result<Outgoing, Fault> {
    Ok(Outgoing {
        topic: Name::from(topic),
        key: Key::new(Name::clone(key)),
        kind: Name::from(body.kind()),
        schema: W::SCHEMA,
        body: body.encode()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::shipping::{ShipmentOf, ShippingEvent},
        id::order_id,
    };
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Heard(Vec<String>);

    impl Aggregate for Heard {
        const SCHEMA: u16 = 3;
        type Event = ShippingEvent;

        fn evolve(&mut self, event: &ShippingEvent) {
            self.0.push(event.kind().to_owned());
        }
    }

    #[test]
    fn the_folded_state_is_the_fold_over_the_encoded_events() -> Result<(), Fault> {
        let shipment = || ShipmentOf { order: order_id("shop", "1"), fields: Default::default() };
        let now = Heard(vec!["before".to_owned()]);

        let events =
            vec![ShippingEvent::ShipmentHeld(shipment()), ShippingEvent::ShipmentCancelled(shipment())];
        let made = append(StreamId::keyed("shipment", "1"), &now, events)?;

        let kinds: Vec<&str> = made.events.iter().map(|event| &*event.kind).collect();
        assert_eq!(kinds, ["ShipmentHeld", "ShipmentCancelled"]);
        let next = made.next.as_ref().and_then(|next| next.any().downcast_ref::<Heard>());
        assert_eq!(
            next.map(|heard| heard.0.join(" ")).as_deref(),
            Some("before ShipmentHeld ShipmentCancelled")
        );
        assert_eq!(now, Heard(vec!["before".to_owned()]), "the state before is left as it is");
        Ok(())
    }

    #[test]
    fn a_message_carries_its_wire_name_and_key() -> Result<(), Fault> {
        let order = order_id("shop", "1");
        let event =
            ShippingEvent::ShipmentHeld(ShipmentOf { order: order.clone(), fields: Default::default() });
        let sent = send("shipping.events", &order.name(), &event)?;
        assert_eq!((&*sent.kind, sent.key.text().as_ref()), ("ShipmentHeld", order.as_str()));
        assert_eq!(ShippingEvent::decode(&sent.kind, sent.schema, &sent.body)?, event);
        Ok(())
    }
}
