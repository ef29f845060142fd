//! Turns for tests: a lane of `place` that writes orders, each with a message that the group `order` hears.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod counter;
pub(crate) mod house;

use bytes::Bytes;
use futures::executor::block_on;
use oms_core::{
    broker::Topology,
    id::MessageId,
    message::{GroupLane, Pack, PackId, key_hash},
    store::{Ask, Event, Right, Store, StoreError, Stream, StreamId, Turn, Write, Writes},
};
use oms_sqlite::SqliteStore;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn topology() -> Topology {
    let hears = BTreeMap::from([("order".into(), BTreeSet::from(["placed".into()]))]);
    Topology { hears, lanes: 4, ..Topology::default() }
}

pub(crate) fn open(path: &std::path::Path) -> SqliteStore {
    let store = oms_sqlite::open(path).expect("opens");
    block_on(store.register(&topology())).expect("registers");
    store
}

pub(crate) fn lane() -> GroupLane {
    GroupLane::new("place", 0)
}

pub(crate) fn order(number: u64) -> StreamId {
    StreamId::keyed("order", &format!("o-{number}"))
}

/// One event and one pack at `position`, of a turn that expects the stream at `expected`.
pub(crate) fn writes(number: u64, expected: u64, position: u64, state: &[u8]) -> Writes {
    let state = Some(Bytes::copy_from_slice(state));
    let next = Stream { version: expected + 1, schema: 1, state, ..Stream::default() };
    let event = Event { kind: "Placed".into(), schema: 1, body: Bytes::from_static(b"{}") };
    let write = Write {
        stream: order(number),
        expected,
        events: vec![event],
        next,
        fixed_is_new: false,
        causes: vec![MessageId(number.into())],
    };
    let id = PackId { sender: lane(), position };
    let keys = vec![key_hash(&order(number).id)];
    let pack = Pack { id, topic: "placed".into(), lane: 0, keys, bytes: Bytes::from(number.to_string()) };
    Writes { streams: vec![write], packs: vec![pack], ..Writes::default() }
}

pub(crate) async fn turn_of(
    store: &SqliteStore,
    lane: GroupLane,
) -> Result<(Box<dyn Turn>, u64), StoreError> {
    let mut turn = store.turn(&Right::Unfenced(lane), Ask::default()).await?;
    let position = turn.found().position;
    Ok((turn, position))
}

pub(crate) fn place(store: &SqliteStore, number: u64, expected: u64, state: &[u8]) -> Result<(), StoreError> {
    block_on(async {
        let (turn, position) = turn_of(store, lane()).await?;
        turn.commit(writes(number, expected, position, state)).await
    })
}
