//! Bare sqlx that sends the statements of this library's store on its schema, one after the other, which is how it sends them.

use crate::peer::{KIND, Peer, body, database, fresh, pool};
use anyhow::Result;
use oms_core::{broker::Topology, store::Store};
use oms_servers::Server;
use sqlx::{Executor, PgPool, Row};

const LANE: &str =
    "SELECT lane.version, lane.next, meta.revision, lease.epoch, moment(NULL) FROM lane CROSS JOIN meta
    JOIN lease ON lease.lane = lane.id WHERE lane.id = $1";
const HOLD: &str = "SELECT hold(ARRAY[$1::integer], ARRAY[$2::bigint], ARRAY[$3::bigint], ARRAY[NULL::bigint], '{}', ARRAY[1::bigint])";
const NEWEST: &str =
    "SELECT version, state, hash FROM event WHERE kind = 'order' AND stream = $1 AND rank = 0
    ORDER BY after DESC LIMIT 1";
const EVENT: &str = "INSERT INTO event (lane, position, part, kind, stream, rank, after, version, time, schema, hash, state, events)
    VALUES ($1, $2, 0, 'order', $3, 0, $4, $4 + 1, $5, 1, $6, $7, $8)";

pub struct Bare {
    pool: PgPool,
    lanes: Vec<i32>,
    events: Vec<u8>,
}

/// A worker's lane and stream.
pub struct Appending {
    lane: i32,
    stream: String,
}

impl Bare {
    pub async fn open(server: &Server) -> Result<Self> {
        let url = database(server, "bare").await?;
        let store = oms_postgres::open(&url).await?;
        let hears = [("alpha".into(), ["news".into()].into())].into();
        store.register(&Topology { hears, lanes: 16, ..Topology::default() }).await?;
        let pool = pool(&format!("{url}?options=-csearch_path%3Doms")).await?;
        let lanes = pool.fetch_all("SELECT id FROM lane WHERE grp = 'alpha' ORDER BY lane").await?;
        let lanes = lanes.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        Ok(Self { pool, lanes, events: format!("{KIND}{}", body()).into_bytes() })
    }
}

impl Peer for Bare {
    type Stream = Appending;

    fn name(&self) -> &'static str {
        "sqlx, same statements"
    }

    fn stream(&self, worker: usize) -> Appending {
        Appending { lane: self.lanes[worker % self.lanes.len()], stream: fresh() }
    }

    async fn append(&self, appending: &mut Appending) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        let lane = sqlx::query(LANE).bind(appending.lane).fetch_one(&mut *connection).await?;
        let (version, next, now): (i64, i64, i64) = (lane.try_get(0)?, lane.try_get(1)?, lane.try_get(4)?);
        let newest = sqlx::query(NEWEST).bind(&appending.stream).fetch_optional(&mut *connection).await?;
        let after: i64 = newest.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
        let hold = sqlx::query(HOLD).bind(appending.lane).bind(version).bind(next + 1);
        hold.execute(&mut *transaction).await?;
        let event = sqlx::query(EVENT).bind(appending.lane).bind(next).bind(&appending.stream).bind(after);
        let event = event.bind(now).bind(&[7_u8; 16][..]).bind(&b"{}"[..]).bind(&self.events);
        event.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}
