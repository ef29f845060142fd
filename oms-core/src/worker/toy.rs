//! A toy service for the tests of the loops: counts what it hears, and does what the message says.

use crate::{
    gateway::{Effect, EffectKey},
    id::{MessageId, Name, StreamId},
    message::{Envelope, Key, Message},
    service::{Aggregate, DueIn, Entry, Fault, Handler, Loaded, Outcome, Outgoing, Reaction, State, append},
    store::Event,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// What a message tells the toy to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) fail: bool,
    pub(super) permanent: bool,
    pub(super) newer: bool,
    pub(super) missing: bool,
    pub(super) foreign_kind: bool,
    pub(super) send: usize,
    pub(super) wish: bool,
    pub(super) withdraw: bool,
    pub(super) deadline: bool,
    pub(super) twice: bool,
}

crate::wire_enum! {
    /// What the toy records.
    pub(super) enum ToyEvent, schema 1 {
        /// It heard something.
        Heard(Order) = "Heard",
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count(pub(super) u64);

impl Aggregate for Count {
    const SCHEMA: u16 = 1;
    type Event = ToyEvent;

    fn evolve(&mut self, _: &ToyEvent) {
        self.0 += 1;
    }
}

pub(super) struct Toy;

pub(super) fn stream(key: &str) -> StreamId {
    StreamId::keyed("toy", key)
}

pub(super) fn message(number: u128, key: &str, order: &Order) -> Message {
    let envelope = Envelope {
        id: MessageId(number),
        cause: MessageId(number),
        correlation: Name::from(key),
        topic: Name::from("toy.in"),
        key: Key::new(Name::from(key)),
        kind: Name::from("Do"),
        schema: 1,
        time: crate::clock::Timestamp(0),
        trace: None,
    };
    Message { envelope, body: Bytes::from(serde_json::to_vec(order).expect("encodes")) }
}

impl Handler for Toy {
    fn group(&self) -> Name {
        Name::from("toy")
    }

    fn hears(&self) -> Vec<Name> {
        vec![Name::from("toy.in")]
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from("toy")]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![stream(message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        let order: Order = serde_json::from_slice(&message.body).expect("an order");
        let id = stream(message.envelope.key.text());
        match &order {
            Order { fail: true, .. } => return Outcome::Fault(Fault::Failed("told to".to_owned())),
            Order { permanent: true, .. } => return Outcome::Fault(Fault::Permanent("told to".to_owned())),
            Order { newer: true, .. } => return Outcome::Fault(Fault::Newer("told to".to_owned())),
            Order { missing: true, .. } => return Outcome::Missing(vec![stream("another")]),
            _ => {}
        }
        let now = loaded.state::<Count>(&id).expect("readable").expect("loaded");
        let target = if order.foreign_kind { StreamId::keyed("order", "x") } else { id.clone() };
        let key = EffectKey::new(message.envelope.key.text(), "wish", 1);
        let effect = Effect {
            key: key.clone(),
            stream: id.clone(),
            gateway: Name::from("toy"),
            request: Bytes::from_static(b"{}"),
            cause: message.envelope.id,
        };
        let outgoing = |number: usize| Outgoing {
            topic: Name::from(if number == 0 { "toy.in" } else { "nobody.hears" }),
            key: message.envelope.key.clone(),
            kind: Name::from("Do"),
            schema: 1,
            body: Bytes::from(serde_json::to_vec(&Order::default()).expect("encodes")),
        };
        let due = DueIn { delay: Duration::from_secs(30), waits_for: Some((0, Name::from("toy"))) };
        let heard = || append(target.clone(), now, vec![ToyEvent::Heard(order.clone())]).expect("encodes");
        Outcome::Reaction(Reaction {
            appends: (0..=usize::from(order.twice)).map(|_| heard()).collect(),
            outgoing: (0..order.send).map(outgoing).collect(),
            deadlines: if order.deadline { vec![(id, Some(due))] } else { Vec::new() },
            effects: if order.wish { vec![effect] } else { Vec::new() },
            withdrawn: if order.withdraw { vec![key] } else { Vec::new() },
            reply: None,
        })
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Count>(event)
    }
}
