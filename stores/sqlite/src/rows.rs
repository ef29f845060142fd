//! The rows of the file as values: lanes, packs, the newest row of a stream, and what an error of SQLite means.

use crate::present::Book;
use bytes::Bytes;
use oms_core::{
    id::Name,
    message::PackId,
    store::{Deadline, Rank, StoreError, Stream, StreamId},
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

const POSITION_BITS: u32 = 40;

/// What an error of SQLite means to the caller.
pub(crate) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::TooBig) => StoreError::refused(error),
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict,
        _ => StoreError::unavailable(error),
    }
}

/// Runs a statement that is prepared once; gives the number of rows it changed.
pub(crate) fn execute(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    db.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(failed)
}

/// The first row of an answer, if there is one.
pub(crate) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let row = db.prepare_cached(sql).and_then(|mut statement| statement.query_row(params, read).optional());
    row.map_err(failed)
}

/// All rows of an answer.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    statement.query_map(params, read).and_then(Iterator::collect).map_err(failed)
}

/// Numbers of SQLite are signed; ours are not, and never that large.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was stored by [`int`].
pub(crate) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A limit as SQLite counts it.
pub(crate) fn cap(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The row of a pack: its sender above its position.
pub(crate) fn pack_row(sender: i64, position: u64) -> i64 {
    (sender << POSITION_BITS) | int(position).min((1 << POSITION_BITS) - 1)
}

/// The sender's lane of a pack's row.
pub(crate) fn sender_of(row: i64) -> i64 {
    row >> POSITION_BITS
}

/// The name of a pack's row.
pub(crate) fn pack_id(row: i64, book: &Book) -> PackId {
    let position = uint(row & ((1 << POSITION_BITS) - 1));
    PackId { sender: book.name(sender_of(row)), position }
}

/// A name in the first column given.
pub(crate) fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<Name> {
    row.get_ref(column)?.as_str().map(Name::from).map_err(Into::into)
}

/// A blob.
pub(crate) fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get_ref(column)?.as_blob().map(Bytes::copy_from_slice).map_err(Into::into)
}

pub(crate) fn rank(rank: Rank) -> i64 {
    match rank {
        Rank::Keyed => 0,
        Rank::Shared => 1,
    }
}

/// A stream's name in three columns: kind, id, rank.
pub(crate) fn stream_id(row: &Row<'_>, from: usize) -> rusqlite::Result<StreamId> {
    let rank = if row.get::<_, i64>(from + 2)? == 0 { Rank::Keyed } else { Rank::Shared };
    Ok(StreamId { rank, kind: name(row, from)?, id: name(row, from + 1)? })
}

/// The stream as it is now; a default one when it was never written. What is unclaimed is known in memory only.
pub(crate) fn newest(db: &Connection, id: &StreamId) -> Result<Stream, StoreError> {
    let sql = "SELECT version, schema, fixed_at, deadline, state, fixed FROM event
        WHERE kind = ?1 AND stream = ?2 AND rank = ?3 ORDER BY version DESC LIMIT 1";
    let found = one(db, sql, params![&*id.kind, &*id.id, rank(id.rank)], |row| {
        let state = row.get_ref(4)?.as_blob_or_null()?.map(Bytes::copy_from_slice);
        let fixed = row.get_ref(5)?.as_blob_or_null()?.map(Bytes::copy_from_slice);
        let deadline: Option<String> = row.get(3)?;
        let (version, schema) = (uint(row.get(0)?), row.get(1)?);
        Ok((
            Stream { version, schema, state, fixed, ..Stream::default() },
            row.get::<_, Option<i64>>(2)?,
            deadline,
        ))
    })?;
    let Some((mut stream, fixed_at, deadline)) = found else { return Ok(Stream::default()) };
    stream.deadline = deadline.map(|text| read_deadline(&text)).transpose()?;
    if let (Some(at), None) = (fixed_at, &stream.fixed) {
        let sql = "SELECT fixed FROM event WHERE kind = ?1 AND stream = ?2 AND rank = ?3 AND version = ?4";
        stream.fixed = one(db, sql, params![&*id.kind, &*id.id, rank(id.rank), at], |row| blob(row, 0))?;
    }
    Ok(stream)
}

/// Reads a stored deadline.
pub(crate) fn read_deadline(text: &str) -> Result<Deadline, StoreError> {
    serde_json::from_str(text).map_err(StoreError::unavailable)
}
