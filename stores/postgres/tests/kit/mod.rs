//! A server of the test's own, stores on it as several processes have them, and short ways to say what a worker would do.

#![allow(dead_code, reason = "each test takes what it needs")]

use bytes::Bytes;
use oms_core::{
    broker::Topology,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name, StreamId},
    message::GroupLane,
    store::{Ask, Event, Lease, Right, Store, StoreError, Stream, Write, Writes},
};
use oms_postgres::{Options, PostgresStore};
use oms_servers::{Kind, Server, ServerError};
use std::{path::PathBuf, time::Duration};

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(300);

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/servers")
}

pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, ServerError> + Send + 'static,
) -> T {
    tokio::task::spawn_blocking(act).await.expect("its thread ends").expect("the server does it")
}

pub(crate) async fn server() -> Server {
    blocking(|| Server::start(Kind::Postgres, &root(), &mut |line| eprintln!("{line}"))).await
}

/// What one process has of a schema.
pub(crate) async fn open(url: &str, schema: &str) -> PostgresStore {
    let options = Options::from_url(url).and_then(|options| options.schema(schema)).expect("a good URL");
    let store = options.connections(4).open().await.expect("it opens");
    let topology = Topology {
        hears: [("alpha".into(), ["news".into()].into())].into(),
        lanes: 4,
        ..Topology::default()
    };
    store.register(&topology).await.expect("registered");
    store
}

/// A connection of the test's own, as anybody with the password has one.
pub(crate) async fn raw(url: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("it connects");
    tokio::spawn(connection);
    client
}

pub(crate) fn lane(number: u16) -> GroupLane {
    GroupLane::new("alpha", number)
}

pub(crate) fn thing(id: &str) -> StreamId {
    StreamId::keyed("thing", id)
}

/// One event more on a stream.
pub(crate) fn more(stream: &StreamId, expected: u64) -> Write {
    let version = expected + 1;
    let state = Some(Bytes::from(format!("{{\"version\":{version}}}")));
    let event = Event { kind: Name::from("Happened"), schema: 1, body: Bytes::from_static(b"{}") };
    Write {
        stream: stream.clone(),
        expected,
        events: vec![event],
        next: Stream { version, schema: 1, state, ..Stream::default() },
        fixed_is_new: false,
        causes: vec![MessageId(version.into())],
    }
}

pub(crate) fn writing(streams: Vec<Write>) -> Writes {
    Writes { streams, ..Writes::default() }
}

/// One turn of a lane without a lease.
pub(crate) async fn commit(
    store: &PostgresStore,
    lane: &GroupLane,
    writes: Writes,
) -> Result<(), StoreError> {
    store.turn(&Right::Unfenced(lane.clone()), Ask::default()).await?.commit(writes).await
}

/// The version of a stream.
pub(crate) async fn version(store: &PostgresStore, stream: &StreamId) -> u64 {
    let events = store.history(stream, 0, 100_000).await.expect("read");
    events.last().map_or(0, |event| event.version)
}

pub(crate) async fn lease(
    store: &PostgresStore,
    owner: u128,
    lane: &GroupLane,
    time: Duration,
) -> Option<Lease> {
    store.lease(owner, std::slice::from_ref(lane), time).await.expect("asked").pop()
}

pub(crate) fn wish(order: &str) -> Effect {
    Effect {
        key: EffectKey::new(order, "pay", 1),
        stream: thing(order),
        gateway: Name::from("bank"),
        request: Bytes::from_static(b"{}"),
        cause: MessageId(1),
    }
}
