//! Whether what happened is as it was written: every stream's rows are chained by their hashes, and every lane counts its own.

use crate::{
    heads::{Chained, chain},
    pipe::{params, rows},
    rows::{Columns, rank},
    store::PostgresStore,
};
use oms_core::{id::StreamId, message::GroupLane, store::StoreError};
use std::fmt;
use tokio_postgres::Row;

/// How many rows are read at a time.
const PAGE: i64 = 500;

const ROWS: &str =
    "SELECT kind, stream, rank, after, version, time, schema, deadline, hash, state, events, fixed FROM event
    WHERE (kind, stream, rank, after) > ($1, $2, $3, $4) ORDER BY kind, stream, rank, after LIMIT $5";
/// Lanes that do not have as many rows as they wrote; both are of one moment.
const LANES: &str = "SELECT grp, lane.lane, events, found FROM lane
    CROSS JOIN LATERAL (SELECT count(*) AS found FROM event WHERE event.lane = lane.id) AS counted WHERE found <> events";

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Rows that were read: the events of one turn and stream each.
    pub rows: u64,
    /// What is not as it was written.
    pub broken: Vec<Broken>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// This row was edited or moved, or the one before it was edited or removed.
    Row {
        /// Its stream.
        stream: StreamId,
        /// The version that the row says the stream then had.
        version: u64,
    },
    /// Rows of this sender's lane were removed, or came from elsewhere.
    Lane {
        /// The lane.
        lane: GroupLane,
        /// How many rows its turns wrote.
        written: u64,
        /// How many there are.
        found: u64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { stream, version } => {
                write!(out, "{} {} is not as it was written at version {version}", stream.kind, stream.id)
            }
            Self::Lane { lane, written, found } => {
                write!(out, "lane {lane} wrote {written} rows of events, and {found} are there")
            }
        }
    }
}

/// Where a walk over all rows stands.
struct Walk {
    stream: StreamId,
    after: i64,
    version: u64,
    hash: u128,
    audit: Audit,
}

impl Walk {
    fn step(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut row = Columns::of(row);
        let stream = row.stream()?;
        let (after, version, time): (u64, u64, i64) = (row.number()?, row.number()?, row.get()?);
        let (schema, deadline, hash) = (row.small()?, row.get()?, row.wide()?);
        let (state, events, fixed) = (row.get()?, row.get()?, row.get()?);
        if stream != self.stream {
            (self.version, self.hash) = (0, 0);
        }
        let chained = Chained { after, version, schema, time, events, state, deadline, fixed };
        if after != self.version || chain(self.hash, &stream, &chained) != hash {
            self.audit.broken.push(Broken::Row { stream: stream.clone(), version });
        }
        // What follows is held against what is there: one edited row is one finding.
        (self.stream, self.after) = (stream, after.cast_signed());
        (self.version, self.hash) = (version, hash);
        self.audit.rows += 1;
        Ok(())
    }
}

impl PostgresStore {
    /// Reads every event, and holds each row against the hash it was written with and each lane against what it counted. Orders may be
    /// placed meanwhile. `progress` hears now and then how many rows were read, and how many there were
    /// when it began.
    ///
    /// A removed newest row is found by its lane's count, every other change by the chain. Whoever may change the lanes' counts and
    /// computes hashes anew is not found out: keep a copy of what this says, or of the newest hashes, elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn audit(&self, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Audit, StoreError> {
        let stream = StreamId::keyed("", "");
        let mut walk = Walk { stream, after: -1, version: 0, hash: 0, audit: Audit::default() };
        let all = "SELECT coalesce(sum(events), 0)::bigint FROM lane";
        let all = rows(&self.0.known.link.client().await?, all, params![]).await?;
        let all = all.first().map(|row| Columns::of(row).number()).transpose()?.unwrap_or(0);
        loop {
            let (kind, id) = (walk.stream.kind.to_string(), walk.stream.id.to_string());
            let asked = params![kind, id, rank(walk.stream.rank), walk.after, PAGE];
            let page = rows(&self.0.known.link.client().await?, ROWS, asked).await?;
            page.iter().try_for_each(|row| walk.step(row))?;
            progress(walk.audit.rows, all);
            if (page.len() as i64) < PAGE {
                break;
            }
        }
        for row in &rows(&self.0.known.link.client().await?, LANES, params![]).await? {
            let mut row = Columns::of(row);
            let lane = GroupLane { group: row.name()?, lane: row.small()? };
            let (written, found) = (row.number()?, row.number()?);
            walk.audit.broken.push(Broken::Lane { lane, written, found });
        }
        Ok(walk.audit)
    }
}
