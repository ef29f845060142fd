//! What checks are made of: a store with a topology, and short ways to say what a worker would do.

use super::harness::Harness;
use crate::{
    broker::Topology,
    conformance::stage::VirtualClock,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name, StreamId},
    message::{Codec, Envelope, GroupLane, Json, Key, Message, Pack, PackId},
    store::{
        Ask, Consumed, Deadline, Doing, End, Event, Found, Lease, Local, Parked, Right, Store, StoreError,
        Stream, Turn, Verdict, Write, Writes,
    },
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// How a store broke a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("the store said: {error}"))
    }
}

/// What a check promises.
pub(super) type Checked = Result<(), Failure>;

/// Fails unless it holds.
pub(super) fn ensure(holds: bool, what: &str) -> Checked {
    if holds { Ok(()) } else { Err(Failure(what.to_owned())) }
}

/// Fails unless both are the same.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Checked {
    if is == should { Ok(()) } else { Err(Failure(format!("{what}: {is:?}, not {should:?}"))) }
}

/// Fails unless the call was a conflict.
pub(super) fn conflict<T>(what: &str, result: Result<T, StoreError>) -> Checked {
    match result {
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(Failure(format!("{what}: not a conflict but: {error}"))),
        Ok(_) => Err(Failure(format!("{what}: went through"))),
    }
}

/// Fails unless the call said that the lease is gone.
pub(super) fn lost<T>(what: &str, result: Result<T, StoreError>) -> Checked {
    match result {
        Err(StoreError::LostLease(_)) => Ok(()),
        Err(error) => Err(Failure(format!("{what}: not a lost lease but: {error}"))),
        Ok(_) => Err(Failure(format!("{what}: went through"))),
    }
}

/// The lanes of the suite's topology.
pub(super) const LANES: u16 = 4;
/// A time that is long for the checks' leases.
pub(super) const LONG: Duration = Duration::from_secs(30);
/// A second.
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A fresh store, with `alpha` and `beta` hearing `news`, `alpha` alone hearing `gossip`, and `open` public.
pub struct Kit<'a> {
    pub(super) harness: &'a dyn Harness,
    /// The store.
    pub store: Arc<dyn Store>,
    pub(super) clock: VirtualClock,
}

impl<'a> Kit<'a> {
    pub(super) async fn open(harness: &'a dyn Harness) -> Result<Self, Failure> {
        let store = harness.fresh().await?;
        store.register(&topology(&[("alpha", &["news", "gossip"]), ("beta", &["news"])])).await?;
        Ok(Self { harness, store, clock: harness.clock() })
    }

    pub(super) async fn turn(&self, lane: &GroupLane, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        self.store.turn(&Right::Unfenced(lane.clone()), ask).await
    }

    pub(super) async fn find(&self, lane: &GroupLane, ask: Ask) -> Result<Found, StoreError> {
        Ok(self.turn(lane, ask).await?.found())
    }

    pub(super) async fn commit(&self, lane: &GroupLane, writes: Writes) -> Result<(), StoreError> {
        self.turn(lane, Ask::default()).await?.commit(writes).await
    }

    /// Sends one pack of messages with these keys, which share a lane.
    pub(super) async fn send(
        &self,
        sender: &GroupLane,
        topic: &str,
        keys: &[&str],
    ) -> Result<PackId, Failure> {
        let mut turn = self.turn(sender, Ask::default()).await?;
        let pack = pack(sender, turn.found().position, topic, keys)?;
        let id = pack.id.clone();
        turn.commit(Writes { packs: vec![pack], ..Writes::default() }).await?;
        Ok(id)
    }

    pub(super) async fn end(&self, lane: &GroupLane, pack: &PackId, indexes: &[u16], end: End) -> Checked {
        Ok(self.commit(lane, consume(pack, indexes, end)).await?)
    }

    /// Parks a place of a pack.
    pub(super) async fn park(
        &self,
        lane: &GroupLane,
        (pack, index, key): (&PackId, u16, &str),
        next: Option<Duration>,
    ) -> Checked {
        let parked = Parked {
            again: None,
            message: message(pack, index, "news", key),
            origin: Some((pack.clone(), index)),
            error: Name::from("failed"),
            attempts: u32::from(next.is_some()),
            next,
        };
        let writes = Writes { parked: vec![parked], ..consume(pack, &[index], End::Parked) };
        Ok(self.commit(lane, writes).await?)
    }

    /// Decides about a dead letter, as a person does.
    pub(super) async fn judge(
        &self,
        lane: &GroupLane,
        number: u64,
        verdict: Verdict,
    ) -> Result<(), StoreError> {
        self.commit(lane, Writes { judged: vec![(number, verdict)], ..Writes::default() }).await
    }

    pub(super) async fn due(&self, lane: &GroupLane) -> Result<Vec<Local>, Failure> {
        let (due, _) = self.store.due(std::slice::from_ref(lane), 100).await?;
        Ok(due.into_iter().map(|(_, local)| local).collect())
    }

    pub(super) async fn lease(&self, owner: u128, lane: &GroupLane) -> Result<Lease, Failure> {
        let leases = self.store.lease(owner, std::slice::from_ref(lane), LONG).await?;
        leases
            .into_iter()
            .next()
            .ok_or_else(|| Failure(format!("the lease of {lane} was not given to {owner}")))
    }

    /// Nothing is in flight any more.
    pub(super) async fn nothing_left(&self) -> Checked {
        let count = self.store.count().await?;
        same("what is left over", (count.owed, count.parked, count.effects), (0, 0, 0))?;
        same("what waits", self.store.waiting(None, 100).await?, Vec::new())?;
        same("bodies without owed rows", self.store.collect(100).await?, 0)
    }
}

/// A topology of the suite.
pub(super) fn topology(groups: &[(&str, &[&str])]) -> Topology {
    let names = |topics: &[&str]| topics.iter().map(|topic| Name::from(*topic)).collect::<BTreeSet<_>>();
    Topology {
        hears: groups.iter().map(|(group, topics)| (Name::from(*group), names(topics))).collect(),
        public: names(&["open"]),
        lanes: LANES,
    }
}

/// The lane of a key, in a group.
pub(super) fn lane(group: &str, key: &str) -> GroupLane {
    GroupLane::new(group, Key::new(Name::from(key)).lane(LANES))
}

/// Another key of the same lane.
pub(super) fn neighbour(key: &str) -> String {
    let here = lane("", key);
    let other = (0..).map(|number| format!("{key}-{number}")).find(|other| lane("", other) == here);
    other.unwrap_or_default()
}

pub(super) fn message(pack: &PackId, index: u16, topic: &str, key: &str) -> Message {
    let id = MessageId::caused(&pack.to_string(), MessageId(0), index.into());
    let envelope = Envelope {
        id,
        cause: id,
        correlation: Name::from(key),
        topic: Name::from(topic),
        key: Key::new(Name::from(key)),
        kind: Name::from("Told"),
        schema: 1,
        time: crate::clock::Timestamp(1_000_000),
        trace: None,
    };
    Message { envelope, body: Bytes::from(format!("{{\"place\":{index}}}")) }
}

pub(super) fn pack(sender: &GroupLane, position: u64, topic: &str, keys: &[&str]) -> Result<Pack, Failure> {
    let id = PackId { sender: sender.clone(), position };
    let messages: Vec<Message> =
        (0..).zip(keys).map(|(index, key)| message(&id, index, topic, key)).collect();
    let bytes = Json.encode(&id, &messages).map_err(|error| Failure(error.to_string()))?;
    let keys: Vec<u32> = messages.iter().map(|message| message.envelope.key.hash()).collect();
    let lane = messages.first().map_or(0, |message| message.envelope.key.lane(LANES));
    Ok(Pack { id, topic: Name::from(topic), lane, keys, bytes })
}

pub(super) fn asked(packs: &[&PackId]) -> Ask {
    Ask { packs: packs.iter().map(|pack| (*pack).clone()).collect(), ..Ask::default() }
}

pub(super) fn local(local: Local) -> Ask {
    Ask { local: vec![local], ..Ask::default() }
}

pub(super) fn streams(streams: &[&StreamId]) -> BTreeSet<StreamId> {
    streams.iter().map(|stream| (*stream).clone()).collect()
}

pub(super) fn consume(pack: &PackId, indexes: &[u16], end: End) -> Writes {
    taking(Consumed::Owed { pack: pack.clone(), indexes: indexes.to_vec(), end })
}

pub(super) fn taking(consumed: Consumed) -> Writes {
    Writes { consumed: vec![consumed], ..Writes::default() }
}

/// A write of `count` events onto version `expected`.
pub(super) fn write(stream: &StreamId, expected: u64, count: u64) -> Write {
    let event = |number: u64| Event {
        kind: Name::from("Happened"),
        schema: 1,
        body: Bytes::from(format!("{{\"n\":{number}}}")),
    };
    let version = expected + count;
    let next = Stream {
        version,
        schema: 2,
        state: Some(Bytes::from(format!("{{\"version\":{version}}}"))),
        ..Stream::default()
    };
    Write {
        stream: stream.clone(),
        expected,
        events: (expected + 1..=version).map(event).collect(),
        next,
        fixed_is_new: false,
        causes: (expected + 1..=version).map(|number| MessageId(number.into())).collect(),
    }
}

pub(super) fn writing(write: Write) -> Writes {
    Writes { streams: vec![write], ..Writes::default() }
}

/// A write that sets a deadline, or clears it.
pub(super) fn watching(mut write: Write, deadline: Option<Deadline>) -> Writes {
    let alarms = vec![write.stream.clone()];
    write.next.deadline = deadline;
    Writes { alarms, ..writing(write) }
}

/// The wish of a step of the key `k`.
pub(super) fn wished(step: &str) -> EffectKey {
    EffectKey::new("k", step, 1)
}

/// Wishes something of the gateway `bank`, in one turn for all steps.
pub(super) async fn wish(kit: &Kit<'_>, steps: &[&str]) -> Checked {
    let effects = steps.iter().map(|step| effect("k", step, "bank")).collect();
    Ok(kit.commit(&lane("alpha", "k"), Writes { effects, ..Writes::default() }).await?)
}

/// Claims wishes, whenever the next is due.
pub(super) async fn claim(
    kit: &Kit<'_>,
    leases: &[Lease],
    gateway: &str,
    limit: usize,
) -> Result<Vec<Doing>, Failure> {
    Ok(kit.store.claim(leases, gateway, limit).await?.doings)
}

pub(super) fn effect(order: &str, step: &str, gateway: &str) -> Effect {
    Effect {
        key: EffectKey::new(order, step, 1),
        stream: StreamId::keyed("thing", order),
        gateway: Name::from(gateway),
        request: Bytes::from_static(b"{}"),
        cause: MessageId(1),
    }
}
