//! The notification service: tells the customer what became of the order, once each; its failures fail nothing.

use super::{
    Aggregate, Entry, Fault, Handler, Loaded, Outcome, Reaction, State, append,
    watch::{answered, wish},
};
use crate::{
    event::{
        Wire as _,
        notification::{Notice, NotificationEvent},
        public::{About, PublicEvent, topic_of},
    },
    gateway::{
        EffectKey,
        notifier::{NOTIFIER, NotifierRequest},
    },
    id::{Name, OrderId},
    message::Message,
    notification::{Notices, Report, TEMPLATES, template_of},
    store::{Event, Rank, StreamId},
};
use std::sync::Arc;

/// The group that the notification service hears in.
pub const GROUP: &str = "notification";
/// The kind of its streams, one for each order.
pub const KIND: &str = "notification";

impl Aggregate for Notices {
    const SCHEMA: u16 = 1;
    type Event = NotificationEvent;

    fn evolve(&mut self, event: &NotificationEvent) {
        Notices::evolve(self, event);
    }
}

/// The notification service. It records nothing until a notifier has answered.
///
/// ```
/// use oms_core::service::{Handler, notification::NotificationService};
/// assert!(NotificationService.hears().iter().any(|topic| &**topic == "order.shipped"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NotificationService;

impl Handler for NotificationService {
    fn group(&self) -> Name {
        Name::from(GROUP)
    }

    fn hears(&self) -> Vec<Name> {
        TEMPLATES.iter().filter_map(|(kind, _)| topic_of(kind)).map(Name::from).collect()
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
        now.evolved::<Notices>(event)
    }
}

fn hear(message: &Message, loaded: &Loaded) -> Result<Outcome, Fault> {
    let stream = StreamId::named(Rank::Keyed, KIND, message.envelope.key.text());
    let Some(now) = loaded.state::<Notices>(&stream)? else { return Ok(Outcome::Missing(vec![stream])) };
    let mut reaction = Reaction::default();
    if let Some((answered, report)) = answered::<Report>(message)? {
        let template = answered.effect.step;
        if answered.settled && now.sent(&template).is_none() {
            let order =
                OrderId::new(&answered.effect.order).map_err(|error| Fault::Permanent(error.to_string()))?;
            let event = match report {
                Report::Sent => NotificationEvent::NotificationSent(Notice { order, template, reason: None }),
                Report::Failed { reason } => {
                    let reason = Some(reason);
                    NotificationEvent::NotificationFailed(Notice { order, template, reason })
                }
            };
            reaction.appends.push(append(stream, now, vec![event])?);
        }
        return Ok(Outcome::Reaction(reaction));
    }
    let envelope = &message.envelope;
    let event = PublicEvent::decode(&envelope.kind, envelope.schema, &message.body)?;
    let told = template_of(event.kind()).zip(about(&event));
    if let Some((template, about)) = told.filter(|(template, _)| now.sent(template).is_none()) {
        let key = EffectKey::new(about.order.as_str(), template, 1);
        let request = NotifierRequest { template: Name::from(template), about: about.clone() };
        reaction.effects.push(wish(key, &stream, NOTIFIER, &request, message)?);
    }
    Ok(Outcome::Reaction(reaction))
}

fn about(event: &PublicEvent) -> Option<&About> {
    match event {
        PublicEvent::OrderPlaced(body) => Some(&body.about),
        PublicEvent::OrderShipped(body) => Some(&body.about),
        PublicEvent::OrderCompleted(body) => Some(&body.about),
        PublicEvent::OrderFailed(body) => Some(&body.about),
        PublicEvent::OrderCancelled(body) => Some(&body.about),
        PublicEvent::InventoryReserved(_)
        | PublicEvent::PaymentProcessed(_)
        | PublicEvent::PaymentCompleted(_)
        | PublicEvent::PaymentFailed(_)
        | PublicEvent::StockUpdated(_) => None,
    }
}

#[cfg(test)]
mod tests;
