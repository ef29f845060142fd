//! What is in flight, for the story and for people.

use crate::{
    alarm,
    owed::OwedRow,
    present::{Book, SharedPresent, present},
    rows::{all, blob, cap, failed, name, newest, pack_id, stream_id, uint},
};
use oms_core::{
    clock::Timestamp,
    gateway::EffectKey,
    message::key_hash,
    store::{
        StoreError, StreamId, Waiting,
        marks::{BURIED, LEFT, PARKED, key_at},
        wire::unpack_message,
    },
};
use rusqlite::{Connection, params};

/// Everything of a key, or everything, at most `limit`: messages, wishes, deadlines.
pub(crate) fn list(
    db: &Connection,
    book: &Book,
    shared: &SharedPresent,
    key: Option<&str>,
    limit: usize,
) -> Result<Vec<Waiting>, StoreError> {
    let mut waiting = packs(db, book, key, limit)?;
    if waiting.len() < limit {
        waiting.extend(parked(db, book, key)?);
    }
    if waiting.len() < limit {
        waiting.extend(effects(db, book, shared, key, limit)?);
    }
    if waiting.len() < limit {
        waiting.extend(deadlines(db, book, key, limit - waiting.len())?);
    }
    waiting.truncate(limit);
    Ok(waiting)
}

fn effects(
    db: &Connection,
    book: &Book,
    shared: &SharedPresent,
    key: Option<&str>,
    limit: usize,
) -> Result<Vec<Waiting>, StoreError> {
    let columns = "SELECT ord, step, attempt, lane, gateway FROM effect";
    let own = if key.is_some() { "ord = ?1" } else { "?1 IS NULL" };
    let sql = format!("{columns} WHERE {own} ORDER BY ord, step, attempt LIMIT ?2");
    all(db, &sql, params![key, cap(limit)], |row| {
        let key = EffectKey { order: name(row, 0)?, step: name(row, 1)?, attempt: row.get(2)? };
        let claimed = !present(shared).known.is_untold(&key);
        Ok(Waiting::Effect { lane: book.name(row.get(3)?), key, gateway: name(row, 4)?, claimed })
    })
}

fn packs(db: &Connection, book: &Book, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT owed.pack, owed.topic, owed.since, size, count, owed.marks, owed.hearer, keys FROM owed
        JOIN pack ON pack.id = owed.pack ORDER BY owed.hearer, owed.pack";
    let hash = key.map(key_hash);
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let owed = OwedRow::read(row).map_err(failed)?;
        let keys = blob(row, 7).map_err(failed)?;
        let there = owed.marks.places(&[LEFT, PARKED, BURIED]);
        let is_own = |hash| there.iter().any(|place| key_at(&keys, *place) == Some(hash));
        if waiting.len() >= limit {
            break;
        }
        if !hash.is_none_or(is_own) {
            continue;
        }
        waiting.push(Waiting::Owed {
            lane: book.name(row.get(6).map_err(failed)?),
            pack: pack_id(owed.pack, book),
            left: owed.marks.places(&[LEFT]).len(),
            marked: owed.marks.places(&[PARKED, BURIED]).len(),
            topic: owed.topic,
            since: owed.since,
        });
    }
    Ok(waiting)
}

fn parked(db: &Connection, book: &Book, key: Option<&str>) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT seq, hearer, message, error, attempts, next FROM parked
        WHERE ?1 IS NULL OR key = ?1 ORDER BY seq";
    let rows = all(db, sql, params![key], |row| {
        let (seq, lane, error) = (uint(row.get(0)?), book.name(row.get(1)?), name(row, 3)?);
        let (attempts, next) = (row.get(4)?, row.get::<_, Option<i64>>(5)?.map(Timestamp));
        let message = unpack_message(&blob(row, 2)?);
        Ok(message.map(|message| Waiting::Parked { seq, lane, message, error, attempts, next }))
    })?;
    rows.into_iter().map(|row| row.map_err(Into::into)).collect()
}

fn deadlines(
    db: &Connection,
    book: &Book,
    key: Option<&str>,
    room: usize,
) -> Result<Vec<Waiting>, StoreError> {
    let mut waiting = Vec::new();
    if let Some(key) = key {
        for stream in alarm::of_key(db, key)? {
            waiting.extend(deadline(db, book, stream, Some(key))?);
        }
        return Ok(waiting);
    }
    let mut statement = db.prepare_cached("SELECT kind, stream, rank FROM alarm").map_err(failed)?;
    for stream in statement.query_map([], |row| stream_id(row, 0)).map_err(failed)? {
        waiting.extend(deadline(db, book, stream.map_err(failed)?, None)?);
        if waiting.len() >= room {
            break;
        }
    }
    Ok(waiting)
}

/// The deadline of a stream that has an alarm, unless it was cleared, or is another key's.
fn deadline(
    db: &Connection,
    book: &Book,
    stream: StreamId,
    key: Option<&str>,
) -> Result<Option<Waiting>, StoreError> {
    let deadline = newest(db, &stream)?.deadline;
    let Some(deadline) = deadline.filter(|deadline| key.is_none_or(|key| &*deadline.key == key)) else {
        return Ok(None);
    };
    let look = alarm::true_look(db, &stream, &deadline)?;
    Ok(Some(Waiting::Deadline { lane: alarm::lane_of(&deadline, book.lanes), stream, look }))
}
