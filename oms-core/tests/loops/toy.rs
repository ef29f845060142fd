//! A toy service: it writes down what it hears, and does what the message says.

use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    event::Wire,
    gateway::{Effect, EffectKey},
    id::{Digest, MessageId, Name, StreamId},
    message::{Envelope, Key, Message},
    service::{
        Aggregate, DEADLINE_REACHED, DueIn, EFFECT_ANSWERED, EffectAnswered, Entry, Fault, Handler, Loaded,
        Outcome, Outgoing, Reaction, State, append,
    },
    store::Event,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a message tells a toy to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Do {
    /// What is written down.
    pub(crate) name: String,
    /// Messages to send: topic, key and what they say.
    pub(crate) sends: Vec<(String, String, Do)>,
    /// Wishes: steps of this key, to the gateway `door`.
    pub(crate) wishes: Vec<String>,
    /// Steps taken back, if nobody has claimed them.
    pub(crate) undo: Vec<String>,
    /// A deadline, in milliseconds.
    pub(crate) deadline: Option<u64>,
    /// The deadline waits for the first message that is sent, in this group.
    pub(crate) waits_for: Option<String>,
    /// `failed`, `permanent` or `newer`.
    pub(crate) fault: Option<String>,
    /// Asks for this shared stream, unless it is loaded.
    pub(crate) missing: Option<String>,
    /// Spaces in the body, to make it large.
    pub(crate) weight: usize,
}

pub(crate) fn say(name: &str) -> Do {
    Do { name: name.to_owned(), ..Do::default() }
}

oms_core::wire_enum! {
    /// What a toy records.
    pub(crate) enum ToyEvent, schema 1 {
        /// It heard something.
        Heard(String) = "Heard",
    }
}

/// Everything a stream heard, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard(pub(crate) Vec<String>);

impl Aggregate for Heard {
    const SCHEMA: u16 = 1;
    type Event = ToyEvent;

    fn evolve(&mut self, event: &ToyEvent) {
        let ToyEvent::Heard(name) = event;
        self.0.push(name.clone());
    }
}

/// How often a message of a name fails before it is handled.
pub(crate) type Fails = Arc<Mutex<BTreeMap<String, u32>>>;

#[derive(Clone)]
pub(crate) struct Toy {
    pub(crate) group: &'static str,
    pub(crate) hears: Vec<&'static str>,
    pub(crate) fails: Fails,
    /// How often messages of each name came to be handled, commit or no commit.
    pub(crate) seen: Fails,
}

impl Toy {
    pub(crate) fn new(group: &'static str, hears: &[&'static str]) -> Self {
        Self { group, hears: hears.to_vec(), fails: Fails::default(), seen: Fails::default() }
    }

    pub(crate) fn fail(&self, name: &str, times: u32) {
        self.fails.lock().unwrap().insert(name.to_owned(), times);
    }

    pub(crate) fn seen(&self, name: &str) -> u32 {
        self.seen.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    pub(crate) fn stream(&self, key: &str) -> StreamId {
        StreamId::keyed(self.group, key)
    }

    fn told(&self, message: &Message) -> Result<Do, Fault> {
        if &*message.envelope.kind == DEADLINE_REACHED {
            return Ok(say("deadline"));
        }
        if &*message.envelope.kind == EFFECT_ANSWERED {
            let heard: EffectAnswered = serde_json::from_slice(&message.body).unwrap();
            return Ok(say(&format!("{}={}", heard.effect.step, heard.answer.get().trim_matches('"'))));
        }
        if &*message.envelope.kind != "Do" {
            return Err(Fault::Permanent(format!("{} is not known here", message.envelope.kind)));
        }
        serde_json::from_slice(&message.body).map_err(|error| Fault::Permanent(error.to_string()))
    }

    fn fault(&self, told: &Do) -> Option<Fault> {
        let why = || "told to".to_owned();
        match told.fault.as_deref() {
            Some("permanent") => return Some(Fault::Permanent(why())),
            Some("newer") => return Some(Fault::Newer(why())),
            Some(_) => return Some(Fault::Failed(why())),
            None => {}
        }
        let mut fails = self.fails.lock().unwrap();
        let left = fails.get_mut(&told.name).filter(|left| **left > 0)?;
        *left -= 1;
        Some(Fault::Failed(why()))
    }

    fn react(&self, message: &Message, told: &Do, entry: &Entry) -> Result<Reaction, Fault> {
        let key = message.envelope.key.text();
        let id = self.stream(key);
        let wish = |step: &String| Effect {
            key: EffectKey::new(key, step, 1),
            stream: id.clone(),
            gateway: Name::from("door"),
            request: Bytes::from_static(b"{}"),
            cause: message.envelope.id,
        };
        let due = told.deadline.map(|time| DueIn {
            delay: Duration::from_millis(time),
            waits_for: told.waits_for.as_ref().map(|group| (0, Name::from(group.as_str()))),
        });
        let events = vec![ToyEvent::Heard(told.name.clone())];
        let undo = told.undo.iter().map(|step| EffectKey::new(key, step, 1));
        Ok(Reaction {
            appends: vec![append(id.clone(), entry.state::<Heard>()?, events)?],
            outgoing: told.sends.iter().map(|(topic, key, say)| outgoing(topic, key, say)).collect(),
            deadlines: due.map(|due| (id.clone(), Some(due))).into_iter().collect(),
            effects: told.wishes.iter().map(wish).collect(),
            withdrawn: undo.filter(|key| entry.stream.unclaimed.contains(key)).collect(),
            reply: Some(Bytes::from(serde_json::to_vec(&told.name).unwrap())),
        })
    }
}

fn outgoing(topic: &str, key: &str, say: &Do) -> Outgoing {
    Outgoing {
        topic: Name::from(topic),
        key: Key::new(Name::from(key)),
        kind: Name::from("Do"),
        schema: 1,
        body: body(say),
    }
}

pub(crate) fn body(say: &Do) -> Bytes {
    let mut body = serde_json::to_vec(say).unwrap();
    body.extend(std::iter::repeat_n(b' ', say.weight));
    Bytes::from(body)
}

/// A message from outside; the same content has the same id.
pub(crate) fn outside(key: &str, say: &Do) -> Message {
    let id = MessageId(Digest::new("outside").text(key).bytes(&body(say)).finish());
    let name = Name::from(key);
    let envelope = Envelope {
        id,
        cause: id,
        correlation: Name::clone(&name),
        topic: Name::from("outside"),
        key: Key::new(name),
        kind: Name::from("Do"),
        schema: 1,
        time: Timestamp(0),
        trace: None,
    };
    Message { envelope, body: body(say) }
}

impl Handler for Toy {
    fn group(&self) -> Name {
        Name::from(self.group)
    }

    fn hears(&self) -> Vec<Name> {
        self.hears.iter().map(|topic| Name::from(*topic)).collect()
    }

    fn owns(&self) -> Vec<Name> {
        vec![Name::from(self.group)]
    }

    fn streams(&self, message: &Message, _: &Loaded) -> Vec<StreamId> {
        vec![self.stream(message.envelope.key.text())]
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        let told = match self.told(message) {
            Ok(told) => told,
            Err(fault) => return Outcome::Fault(fault),
        };
        *self.seen.lock().unwrap().entry(told.name.clone()).or_default() += 1;
        let asked = told.missing.as_deref().map(|sku| StreamId::shared("stock", sku));
        if let Some(asked) = asked.filter(|asked| loaded.get(asked).is_none()) {
            return Outcome::Missing(vec![asked]);
        }
        if let Some(fault) = self.fault(&told) {
            return Outcome::Fault(fault);
        }
        let entry = loaded.get(&self.stream(message.envelope.key.text())).unwrap();
        match self.react(message, &told, entry) {
            Ok(reaction) => Outcome::Reaction(reaction),
            Err(fault) => Outcome::Fault(fault),
        }
    }

    fn evolve(&self, _: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        now.evolved::<Heard>(event)
    }
}

/// The names in a recorded history.
pub(crate) fn names(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| match ToyEvent::decode(&event.kind, event.schema, &event.body).unwrap() {
        ToyEvent::Heard(name) => name,
    };
    events.iter().map(name).collect()
}
