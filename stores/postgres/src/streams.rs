//! Reading streams: as they are now, one's history, a lane's log, all of a kind.

use crate::{
    book::Book,
    heads::Head,
    pipe::{Param, params},
    rows::{Columns, columns, uint},
};
use oms_core::store::{Recorded, StoreError, Stream, StreamId, Streams, wire::recorded};
use tokio_postgres::Row;

/// The newest rows of streams, each with what never changes after it was first given: one step into the index for each, and one more
/// for that.
pub(crate) const NEWEST: &str =
    "SELECT asked.kind, asked.stream, asked.rank, newest.version, newest.schema, newest.fixed_at, newest.hash,
        newest.deadline, newest.state, coalesce(newest.fixed, first.fixed)
    FROM unnest($1::text[], $2::text[], $3::smallint[]) AS asked (kind, stream, rank)
    CROSS JOIN LATERAL (SELECT * FROM event WHERE event.kind = asked.kind AND event.stream = asked.stream
        AND event.rank = asked.rank ORDER BY event.after DESC LIMIT 1) AS newest
    LEFT JOIN LATERAL (SELECT fixed FROM event WHERE newest.fixed IS NULL AND event.kind = newest.kind
        AND event.stream = newest.stream AND event.rank = newest.rank AND event.after = newest.fixed_at LIMIT 1) AS first ON true";

/// The same without the bytes, for those who only go on from there.
pub(crate) const HEADS: &str =
    "SELECT asked.kind, asked.stream, asked.rank, newest.version, newest.fixed_at, newest.hash
    FROM unnest($1::text[], $2::text[], $3::smallint[]) AS asked (kind, stream, rank)
    CROSS JOIN LATERAL (SELECT * FROM event WHERE event.kind = asked.kind AND event.stream = asked.stream
        AND event.rank = asked.rank ORDER BY event.after DESC LIMIT 1) AS newest";

/// The parameters of [`NEWEST`] and [`HEADS`].
pub(crate) fn asked<'a>(streams: impl IntoIterator<Item = &'a StreamId>) -> Vec<Param> {
    let (kinds, ids, ranks) = columns(streams);
    params![kinds, ids, ranks]
}

/// Reads a row of [`NEWEST`]; nothing is known of what is unclaimed.
pub(crate) fn newest(row: &Row) -> Result<(StreamId, Stream, Head), StoreError> {
    let mut row = Columns::of(row);
    let id = row.stream()?;
    let (version, schema, fixed_at, hash) = (row.number()?, row.small()?, row.get()?, row.wide()?);
    let (deadline, state, fixed) = (row.deadline()?, row.some_bytes()?, row.some_bytes()?);
    let stream = Stream { version, schema, state, fixed, deadline, unclaimed: Vec::new() };
    Ok((id, stream, Head { version, fixed_at, hash }))
}

/// Reads a row of [`HEADS`].
pub(crate) fn head(row: &Row) -> Result<(StreamId, Head), StoreError> {
    let mut row = Columns::of(row);
    Ok((row.stream()?, Head { version: row.number()?, fixed_at: row.get()?, hash: row.wide()? }))
}

/// The asked streams, of which nothing is learned; one that was never written is empty.
pub(crate) fn loaded<'a>(
    rows: &[Row],
    asked: impl IntoIterator<Item = &'a StreamId>,
) -> Result<Streams, StoreError> {
    let mut streams: Streams = asked.into_iter().map(|id| (id.clone(), Stream::default())).collect();
    for row in rows {
        let (id, stream, _) = newest(row)?;
        streams.insert(id, stream);
    }
    Ok(streams)
}

/// The events of a stream after a version, turn by turn.
pub(crate) const HISTORY: &str = "SELECT kind, stream, rank, version, lane, position, time, events FROM event
    WHERE kind = $1 AND stream = $2 AND rank = $3 AND version > $4 ORDER BY after LIMIT $5";

/// The log of a lane after a position, up to the turn that has its `$3`th row.
pub(crate) const LOG: &str = "SELECT kind, stream, rank, version, lane, position, time, events FROM event
    WHERE lane = $1 AND position > $2 AND position <= coalesce((SELECT position FROM event
        WHERE lane = $1 AND position > $2 ORDER BY position, part OFFSET $3 LIMIT 1), 9223372036854775807)
    ORDER BY position, part";

/// Where the log of each lane ends.
pub(crate) const ENDS: &str = "SELECT asked.id, newest.position FROM unnest($1::integer[]) AS asked (id)
    CROSS JOIN LATERAL (SELECT position FROM event WHERE lane = asked.id ORDER BY position DESC LIMIT 1) AS newest";

/// The ids of a kind, in order.
pub(crate) const OF_KIND: &str = "WITH RECURSIVE ids (stream, rank, number) AS (
        (SELECT stream, rank, 1::bigint FROM event WHERE kind = $1 AND ($2::text IS NULL OR stream > $2) ORDER BY stream, rank LIMIT 1)
        UNION ALL
        SELECT next.stream, next.rank, ids.number + 1 FROM ids CROSS JOIN LATERAL (SELECT stream, rank FROM event
            WHERE kind = $1 AND (stream, rank) > (ids.stream, ids.rank) ORDER BY stream, rank LIMIT 1) AS next
        WHERE ids.number < $3)
    SELECT stream, rank FROM ids";

/// The events of a row, and the position that they share.
fn record(row: &Row, book: &Book) -> Result<(u64, Vec<Recorded>), StoreError> {
    let mut row = Columns::of(row);
    let (stream, version, lane) = (row.stream()?, row.number()?, book.name(row.get()?));
    let (position, time, events) = (row.number()?, row.time()?, row.get()?);
    Ok((position, recorded((&stream, version), (&lane, position), time, events)?))
}

/// The lanes that rows of events name.
pub(crate) fn lanes(rows: &[Row]) -> Vec<i32> {
    rows.iter().filter_map(|row| row.try_get(4).ok()).collect()
}

/// The events of [`HISTORY`] after a version.
pub(crate) fn history(
    rows: &[Row],
    book: &Book,
    after: u64,
    limit: usize,
) -> Result<Vec<Recorded>, StoreError> {
    let mut events = Vec::new();
    for row in rows {
        events.extend(record(row, book)?.1.into_iter().filter(|event| event.version > after));
    }
    events.truncate(limit);
    Ok(events)
}

/// The events of [`LOG`]; the last turn is given whole.
pub(crate) fn log(rows: &[Row], book: &Book, limit: usize) -> Result<Vec<Recorded>, StoreError> {
    let (mut events, mut position) = (Vec::new(), 0);
    for row in rows {
        let (own, turn) = record(row, book)?;
        if events.len() >= limit.max(1) && own != position {
            break;
        }
        position = own;
        events.extend(turn);
    }
    Ok(events)
}

/// The ends of lanes in their order; 0 for one that nobody knows, or that wrote nothing.
pub(crate) fn ends(rows: &[Row], lanes: &[Option<i32>]) -> Result<Vec<u64>, StoreError> {
    let mut found = std::collections::BTreeMap::new();
    for row in rows {
        let mut row = Columns::of(row);
        found.insert(row.get::<i32>()?, uint(row.get()?));
    }
    Ok(lanes.iter().map(|lane| lane.and_then(|lane| found.get(&lane).copied()).unwrap_or(0)).collect())
}
