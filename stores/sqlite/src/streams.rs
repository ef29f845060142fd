//! Reading streams for people: one's history, a lane's log, all of a kind.

use crate::{
    present::Book,
    rows::{all, blob, cap, int, name, newest, one, rank, stream_id, uint},
};
use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    store::{Rank, Recorded, StoreError, Stream, StreamId, wire::recorded},
};
use rusqlite::{Connection, Row, params};

struct EventRow {
    stream: StreamId,
    version: u64,
    lane: i64,
    position: u64,
    time: Timestamp,
    events: Bytes,
}

fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        stream: stream_id(row, 0)?,
        version: uint(row.get(3)?),
        lane: row.get(4)?,
        position: uint(row.get(5)?),
        time: Timestamp(row.get(6)?),
        events: blob(row, 7)?,
    })
}

fn record(row: &EventRow, book: &Book) -> Result<Vec<Recorded>, StoreError> {
    let (stream, lane) = ((&row.stream, row.version), book.name(row.lane));
    Ok(recorded(stream, (&lane, row.position), row.time, &row.events)?)
}

/// The events of a stream after a version, in order.
pub(crate) fn history(
    db: &Connection,
    book: &Book,
    stream: &StreamId,
    after: u64,
    limit: usize,
) -> Result<Vec<Recorded>, StoreError> {
    let sql = "SELECT kind, stream, rank, version, lane, position, time, events FROM event
        WHERE kind = ?1 AND stream = ?2 AND rank = ?3 AND version > ?4 ORDER BY version LIMIT ?5";
    let (kind, id, rank) = (&*stream.kind, &*stream.id, rank(stream.rank));
    let mut events = Vec::new();
    for row in all(db, sql, params![kind, id, rank, int(after), cap(limit)], read)? {
        events.extend(record(&row, book)?.into_iter().filter(|event| event.version > after));
    }
    events.truncate(limit);
    Ok(events)
}

/// The events of a lane after a position, in order; the last turn is given whole.
pub(crate) fn log(
    db: &Connection,
    book: &Book,
    lane: i64,
    after: u64,
    limit: usize,
) -> Result<Vec<Recorded>, StoreError> {
    let sql = "SELECT kind, stream, rank, version, lane, position, time, events FROM event
        WHERE lane = ?1 AND position > ?2 AND position <= coalesce((SELECT position FROM event
            WHERE lane = ?1 AND position > ?2 ORDER BY position, id LIMIT 1 OFFSET ?3), 9223372036854775807)
        ORDER BY position, id";
    let last = cap(limit.max(1) - 1);
    let (mut events, mut position) = (Vec::new(), 0);
    for row in all(db, sql, params![lane, int(after), last], read)? {
        if events.len() >= limit.max(1) && row.position != position {
            break;
        }
        position = row.position;
        events.extend(record(&row, book)?);
    }
    Ok(events)
}

/// The newest position of each lane; 0 for one that nobody knows, or that wrote nothing.
pub(crate) fn heads(db: &Connection, lanes: &[Option<i64>]) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT coalesce(max(position), 0) FROM event WHERE lane = ?1";
    let head = |lane: &Option<i64>| match lane {
        Some(lane) => Ok(one(db, sql, params![lane], |row| row.get(0).map(uint))?.unwrap_or(0)),
        None => Ok(0),
    };
    lanes.iter().map(head).collect()
}

/// The streams of a kind with an id greater than `after`, in order of id.
pub(crate) fn of_kind(
    db: &Connection,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(StreamId, Stream)>, StoreError> {
    let mut streams = Vec::new();
    let first = "SELECT stream FROM event WHERE kind = ?1 ORDER BY stream LIMIT 1";
    let later = "SELECT stream FROM event WHERE kind = ?1 AND stream > ?2 ORDER BY stream LIMIT 1";
    let mut next = match after {
        None => one(db, first, params![kind], |row| name(row, 0))?,
        Some(after) => one(db, later, params![kind, after], |row| name(row, 0))?,
    };
    while let Some(id) = next.filter(|_| streams.len() < limit) {
        for rank in [Rank::Keyed, Rank::Shared] {
            let id = StreamId { rank, kind: kind.into(), id: id.clone() };
            let stream = newest(db, &id)?;
            if stream.version > 0 {
                streams.push((id, stream));
            }
        }
        next = one(db, later, params![kind, &*id], |row| name(row, 0))?;
    }
    streams.truncate(limit);
    Ok(streams)
}
