//! This library: a turn that reads the stream, and its commit.

use crate::peer::{KIND, Peer, body, database, fresh};
use anyhow::Result;
use bytes::Bytes;
use oms_core::{
    broker::Topology,
    id::{MessageId, Name, StreamId},
    message::GroupLane,
    store::{Ask, Event, Right, Store, Stream, Write, Writes},
};
use oms_postgres::PostgresStore;
use oms_servers::Server;

pub struct House {
    store: PostgresStore,
    body: Bytes,
}

/// A worker's lane, and its stream as it knows it.
pub struct Appending {
    lane: GroupLane,
    stream: StreamId,
}

impl House {
    pub async fn open(server: &Server) -> Result<Self> {
        let store = oms_postgres::open(&database(server, "house").await?).await?;
        let hears = [("alpha".into(), ["news".into()].into())].into();
        store.register(&Topology { hears, lanes: 16, ..Topology::default() }).await?;
        Ok(Self { store, body: body().to_string().into() })
    }
}

impl Peer for House {
    type Stream = Appending;

    fn name(&self) -> &'static str {
        "oms-postgres"
    }

    fn stream(&self, worker: usize) -> Appending {
        let lane = u16::try_from(worker % 16).unwrap_or_default();
        Appending { lane: GroupLane::new("alpha", lane), stream: StreamId::keyed("order", &fresh()) }
    }

    async fn append(&self, appending: &mut Appending) -> Result<()> {
        let ask = Ask { streams: [appending.stream.clone()].into(), ..Ask::default() };
        let mut turn = self.store.turn(&Right::Unfenced(appending.lane.clone()), ask).await?;
        let expected = turn.found().streams.get(&appending.stream).map_or(0, |stream| stream.version);
        let event = Event { kind: Name::from(KIND), schema: 1, body: self.body.clone() };
        let version = expected + 1;
        let write = Write {
            stream: appending.stream.clone(),
            expected,
            events: vec![event],
            next: Stream { version, schema: 1, state: Some(Bytes::from_static(b"{}")), ..Stream::default() },
            fixed_is_new: false,
            causes: vec![MessageId(version.into())],
        };
        turn.commit(Writes { streams: vec![write], ..Writes::default() }).await?;
        Ok(())
    }
}
