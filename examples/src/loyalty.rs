//! A hearer of the shop's own: one point for each pound of a completed order, given once however often it is told.

use oms_broker::oms_core::{
    event::{
        Wire,
        public::{PublicEvent, topic_of},
    },
    id::{Name, StreamId},
    message::Message,
    service::{Aggregate, Entry, Fault, Handler, Loaded, Outcome, Reaction, State, append},
    store::Event,
    wire_enum,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

wire_enum! {
    /// What the programme records, in a stream for each order.
    pub(crate) enum LoyaltyEvent, schema 1 {
        /// So many points were given.
        PointsGiven(i64) = "PointsGiven",
    }
}

/// The points of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Points(pub(crate) i64);

impl Aggregate for Points {
    const SCHEMA: u16 = 1;
    type Event = LoyaltyEvent;

    fn evolve(&mut self, event: &LoyaltyEvent) {
        let LoyaltyEvent::PointsGiven(points) = event;
        self.0 += points;
    }
}

/// The kind of the programme's streams.
pub(crate) const KIND: &str = "loyalty";

/// Hears completed orders in a group of its own.
pub(crate) struct Loyalty;

impl Loyalty {
    fn hear(message: &Message, loaded: &Loaded) -> Result<Reaction, Fault> {
        let envelope = &message.envelope;
        let heard = PublicEvent::decode(&envelope.kind, envelope.schema, &message.body)?;
        let PublicEvent::OrderCompleted(completed) = heard else { return Ok(Reaction::default()) };
        let stream = StreamId::keyed(KIND, completed.about.order.as_str());
        let given = loaded.state::<Points>(&stream)?.cloned().unwrap_or_default();
        if given != Points::default() {
            return Ok(Reaction::default());
        }
        let points = completed.about.total.minor / 100;
        let append = append(stream, &given, vec![LoyaltyEvent::PointsGiven(points)])?;
        Ok(Reaction { appends: vec![append], ..Reaction::default() })
    }
}

impl Handler for Loyalty {
    fn group(&self) -> Name {
        Name::from("loyalty")
    }

    fn hears(&self) -> Vec<Name> {
        topic_of("OrderCompleted").map(Name::from).into_iter().collect()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(KIND)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![StreamId::keyed(KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        Self::hear(message, loaded).map_or_else(Outcome::Fault, Outcome::Reaction)
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Points>(event)
    }
}
