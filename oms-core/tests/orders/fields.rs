//! Own fields of an order and its lines: found again on every event and every public message about them.

use crate::{
    house::World,
    shop::{order, place, stock},
};
use oms_core::{
    event::{
        Fields,
        public::{Status, TOPICS},
    },
    id::{Name, OrderId, StreamId},
    message::Message,
    order::NewOrder,
    service::{Aggregate, Append, Entry, Fault, Handler, Loaded, Outcome, Reaction, State},
    store::Event,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

const KIND: &str = "loyalty";

oms_core::wire_enum! {
    /// What the user's own hearer records.
    enum LoyaltyEvent, schema 1 {
        /// A public message as it came.
        Heard(HeardBody) = "Heard",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HeardBody {
    kind: String,
    body: serde_json::Value,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Count(u32);

impl Aggregate for Count {
    const SCHEMA: u16 = 1;
    type Event = LoyaltyEvent;

    fn evolve(&mut self, event: &LoyaltyEvent) {
        match event {
            LoyaltyEvent::Heard(_) => self.0 += 1,
        }
    }
}

/// A user's own handler, in a group of its own: it writes down every public message.
struct Loyalty;

impl Handler for Loyalty {
    fn group(&self) -> Name {
        Name::from("loyalty")
    }

    fn hears(&self) -> Vec<Name> {
        TOPICS.iter().map(|(_, topic)| Name::from(*topic)).collect()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(KIND)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![StreamId::keyed(KIND, message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, _: &Loaded) -> Outcome {
        let body = serde_json::from_slice(&message.body).expect("JSON");
        let heard = HeardBody { kind: message.envelope.kind.to_string(), body };
        let event = oms_core::service::record(&LoyaltyEvent::Heard(heard));
        let events = vec![event.expect("encodes")];
        let append =
            Append { stream: StreamId::keyed(KIND, message.envelope.key.text()), events, next: None };
        Outcome::Reaction(Reaction { appends: vec![append], ..Reaction::default() })
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Count>(event)
    }
}

fn fields(name: &str, value: &str) -> Fields {
    Fields::new([(name.to_owned(), value.to_owned())]).expect("one fits")
}

fn marked(method: &str, hold: bool) -> NewOrder {
    let mut order = order(method, &[("A", 1, 100), ("B", 2, 50), ("POST", 1, 9)]);
    order.fields = fields("gift", "with a bow");
    order.hold_dispatch = hold;
    for line in &mut order.lines {
        line.fields = fields("engraving", line.sku.as_str());
    }
    order
}

async fn recorded(world: &World, kind: &str, order: &OrderId) -> Vec<(String, serde_json::Value)> {
    let stream = StreamId::keyed(kind, order.as_str());
    let history = world.store.history(&stream, 0, 1_000).await.expect("reads");
    let body = |bytes: &[u8]| serde_json::from_slice(bytes).expect("JSON");
    history.iter().map(|one| (one.event.kind.to_string(), body(&one.event.body))).collect()
}

/// Every line in a body carries its own field; `postage` says whether services are among them.
fn lines_are_marked(kind: &str, body: &serde_json::Value) {
    for line in body["lines"].as_array().into_iter().flatten() {
        assert_eq!(line["fields"]["engraving"], line["sku"], "a line of {kind}: {body}");
    }
}

#[test]
fn own_fields_are_on_every_event_of_every_participant() {
    let world = World::kind();
    world.play(async |oms| {
        for name in ["A", "B"] {
            stock(&oms, name, 100).await;
        }
        let mut orders = Vec::new();
        for (method, cancelled) in
            [("card", false), ("upi", false), ("cod", false), ("card", true), ("upi", true)]
        {
            let id = place(&oms, marked(method, true), &format!("{method} {cancelled}")).await;
            orders.push((id, cancelled));
        }
        world.sleep(Duration::from_secs(60)).await;
        for (id, cancelled) in &orders {
            if *cancelled {
                assert!(oms.cancel(id, "c-1", "no more").await.expect("asked").accepted);
            } else {
                assert!(oms.release_dispatch(id).await.expect("asked").accepted);
            }
        }
        world.rest(&oms).await;
        for (id, _) in &orders {
            for stream in ["payment", "reservation", "shipment"] {
                let events = recorded(&world, stream, id).await;
                assert!(events.len() > 1, "{stream}: {events:?}");
                for (kind, body) in events {
                    assert_eq!(body["fields"]["gift"], "with a bow", "{kind}: {body}");
                    lines_are_marked(&kind, &body);
                }
            }
            let first = &recorded(&world, "order", id).await[0].1;
            assert_eq!(
                (&first["fields"]["gift"], first["lines"].as_array().map(Vec::len)),
                (&"with a bow".into(), Some(3))
            );
            lines_are_marked("OrderPlaced", first);
        }
    });
}

#[test]
fn a_hearer_of_the_users_own_hears_every_public_message_once_with_the_own_fields() {
    let world = World::kind();
    world.play_with(
        |builder| builder.handler(Loyalty),
        async |oms| {
            for name in ["A", "B"] {
                stock(&oms, name, 100).await;
            }
            let sent = place(&oms, marked("card", false), "sent").await;
            let stopped = place(&oms, marked("card", true), "stopped").await;
            let missing = place(&oms, order("upi", &[("C", 1, 1)]), "missing").await;
            world.sleep(Duration::from_secs(60)).await;
            assert!(oms.cancel(&stopped, "c-1", "no more").await.expect("asked").accepted);
            world.rest(&oms).await;
            assert_eq!(oms.status(&missing).await.expect("reads"), Some(Status::Failed));
            let first = ["OrderPlaced", "InventoryReserved", "PaymentProcessed"];
            let rest = ["OrderShipped", "PaymentProcessed", "PaymentCompleted", "OrderCompleted"];
            heard(&world, &sent, &[&first[..], &rest[..]].concat()).await;
            heard(&world, &stopped, &[&first[..], &["OrderCancelled"]].concat()).await;
            let kinds = recorded(&world, KIND, &missing).await;
            let kinds: Vec<&str> = kinds.iter().filter_map(|(_, body)| body["kind"].as_str()).collect();
            assert_eq!(kinds, ["OrderPlaced", "OrderFailed"]);
            let a = OrderId::new("A").expect("an id");
            let moves = recorded(&world, KIND, &a).await;
            assert_eq!(moves.len(), 5, "received, taken twice, given back, gone: {moves:?}");
        },
    );
}

async fn heard(world: &World, order: &OrderId, wanted: &[&str]) {
    let heard = recorded(world, KIND, order).await;
    let mut kinds: Vec<&str> = heard.iter().filter_map(|(_, body)| body["kind"].as_str()).collect();
    let mut wanted = wanted.to_vec();
    kinds.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(kinds, wanted);
    for (_, heard) in &heard {
        let (kind, body) = (heard["kind"].as_str().unwrap_or_default(), &heard["body"]);
        assert_eq!(body["fields"]["gift"], "with a bow", "{kind}: {body}");
        let lines = body["lines"].as_array().map_or(0, Vec::len);
        assert_eq!(
            lines,
            match kind {
                "OrderPlaced" => 3,
                "InventoryReserved" => 2,
                _ => 0,
            }
        );
        lines_are_marked(kind, body);
    }
}
