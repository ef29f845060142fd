//! Dead letters and parked messages as they are read.

use crate::{
    present::Book,
    rows::{all, blob, cap, execute, int, name, one, pack_id, uint},
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Key},
    store::{
        DeadLetter, DeadLetterState, Local, LocalMessage, Pick, Seek, StoreError,
        wire::{Damaged, pack_message, unpack_message},
    },
};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;

pub(crate) const BURIED: i64 = 0;
pub(crate) const REDRIVEN: i64 = 1;
pub(crate) const HANDLED: i64 = 2;
/// Redriven, and parked since: its release stands for it.
pub(crate) const REDRIVEN_PARKED: i64 = 3;
/// A copy was sent in its place.
pub(crate) const REPLACED: i64 = 4;

/// How many rows are read at a time.
const PAGE: i64 = 64;

/// A page of dead letters, in the order of `seek`.
pub(crate) fn list(
    db: &Connection,
    book: &Book,
    pick: &Pick,
    seek: Seek,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let span = pick.span();
    let (mut from, mut to) = (int(*span.start()), int(*span.end()));
    let sql = match seek {
        Seek::After(_) => WHOLE_RISING,
        Seek::Before(_) => WHOLE_FALLING,
    };
    let mut letters = Vec::new();
    let mut seek = seek;
    loop {
        match seek {
            Seek::After(after) => from = from.max(int(after.saturating_add(1))),
            Seek::Before(before) => to = to.min(int(before.saturating_sub(1))),
        }
        let kind = pick.kind.as_deref();
        let (state, other) = pick.state.map(stored).unzip();
        let rows = all(db, sql, params![from, to, kind, state, other, PAGE], |row| whole(row, book))?;
        let Some(last) = rows.last() else { return Ok(letters) };
        seek = match (seek, last) {
            (Seek::After(_), (number, _)) => Seek::After(*number),
            (Seek::Before(_), (number, _)) => Seek::Before(*number),
        };
        for (_, letter) in rows {
            if letters.len() >= limit {
                return Ok(letters);
            }
            letters.extend(Some(letter?).filter(|letter| pick.fits(letter)));
        }
    }
}

const WHOLE_RISING: &str =
    "SELECT number, hearer, message, pack, place, error, attempts, time, state FROM dead
    WHERE number BETWEEN ?1 AND ?2 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR state IN (?4, ?5))
    ORDER BY number LIMIT ?6";
const WHOLE_FALLING: &str =
    "SELECT number, hearer, message, pack, place, error, attempts, time, state FROM dead
    WHERE number BETWEEN ?1 AND ?2 AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR state IN (?4, ?5))
    ORDER BY number DESC LIMIT ?6";

/// How a state is stored: one that was redriven may be parked since.
fn stored(state: DeadLetterState) -> (i64, i64) {
    match state {
        DeadLetterState::Buried => (BURIED, BURIED),
        DeadLetterState::Redriven => (REDRIVEN, REDRIVEN_PARKED),
        DeadLetterState::Handled => (HANDLED, HANDLED),
        DeadLetterState::Replaced => (REPLACED, REPLACED),
    }
}

type Whole = (u64, Result<DeadLetter, Damaged>);

/// A dead letter, or its number alone when its bytes are damaged.
fn whole(row: &Row<'_>, book: &Book) -> rusqlite::Result<Whole> {
    let origin = row.get::<_, Option<i64>>(3)?.zip(row.get::<_, Option<u16>>(4)?);
    let state = match row.get::<_, i64>(8)? {
        BURIED => DeadLetterState::Buried,
        HANDLED => DeadLetterState::Handled,
        REPLACED => DeadLetterState::Replaced,
        _ => DeadLetterState::Redriven,
    };
    let message = unpack_message(&blob(row, 2)?);
    let (number, lane) = (uint(row.get(0)?), book.name(row.get(1)?));
    let (error, attempts, time) = (name(row, 5)?, row.get(6)?, Timestamp(row.get(7)?));
    let origin = origin.map(|(pack, place)| (pack_id(pack, book), place));
    let letter =
        message.map(|message| DeadLetter { number, lane, message, origin, error, attempts, time, state });
    Ok((number, letter))
}

/// Keys of a lane with parked messages.
pub(crate) fn parked_keys(db: &Connection, hearer: i64) -> Result<BTreeSet<Key>, StoreError> {
    let sql = "SELECT DISTINCT key FROM parked WHERE hearer = ?1";
    Ok(all(db, sql, params![hearer], |row| name(row, 0))?.into_iter().map(Key::new).collect())
}

/// The heads of a lane's keys in the order of their places, each with the time from which it may be tried.
pub(crate) fn heads(db: &Connection, hearer: i64) -> Result<Vec<(u64, Timestamp)>, StoreError> {
    // The other columns of a group's row are those of its smallest seq: SQLite promises it for a lone min().
    let sql = "SELECT min(seq), next FROM parked WHERE hearer = ?1 GROUP BY key ORDER BY 1";
    all(db, sql, params![hearer], |row| {
        Ok((uint(row.get(0)?), Timestamp(row.get::<_, Option<i64>>(1)?.unwrap_or(i64::MIN))))
    })
}

/// The dead letters of a lane that are to be handled again.
pub(crate) fn redriven(db: &Connection, hearer: i64, limit: usize) -> Result<Vec<Local>, StoreError> {
    let sql = "SELECT number FROM dead WHERE hearer = ?1 AND state = 1 ORDER BY number LIMIT ?2";
    all(db, sql, params![hearer, cap(limit)], |row| row.get(0).map(uint).map(Local::Redriven))
}

/// A parked message at the head of its key whose time has come.
pub(crate) fn release(
    db: &Connection,
    hearer: i64,
    seq: u64,
    now: Timestamp,
) -> Result<Option<LocalMessage>, StoreError> {
    let sql = "SELECT message, attempts FROM parked WHERE seq = ?1 AND hearer = ?2
        AND (next IS NULL OR next <= ?3) AND seq = (SELECT min(head.seq) FROM parked AS head
            WHERE head.hearer = parked.hearer AND head.key = parked.key)";
    let row = one(db, sql, params![int(seq), hearer, now.0], |row| Ok((blob(row, 0)?, row.get(1)?)))?;
    row.map(|(message, attempts)| {
        Ok(LocalMessage::Released { seq, message: unpack_message(&message)?, attempts })
    })
    .transpose()
}

/// A dead letter that is to be handled again.
pub(crate) fn redrive_one(
    db: &Connection,
    hearer: i64,
    number: u64,
) -> Result<Option<LocalMessage>, StoreError> {
    let sql = "SELECT message, attempts FROM dead WHERE number = ?1 AND hearer = ?2 AND state = 1";
    let row = one(db, sql, params![int(number), hearer], |row| Ok((blob(row, 0)?, row.get(1)?)))?;
    row.map(|(message, attempts)| {
        Ok(LocalMessage::Redriven { number, message: unpack_message(&message)?, attempts })
    })
    .transpose()
}

/// Buries a public pack's owed row and keeps its bytes as one dead letter.
pub(crate) fn bury_public(
    db: &Connection,
    hearer: i64,
    pack: (i64, &oms_core::message::Message),
    why: &Name,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO dead (hearer, kind, pack, place, error, attempts, time, state, message)
        VALUES (?1, ?2, ?3, 0, ?4, 1, ?5, 0, ?6)";
    let (row, message) = pack;
    let bytes = pack_message(message);
    execute(db, sql, params![hearer, &*message.envelope.kind, row, &**why, now.0, bytes]).map(drop)
}

type Due = (Vec<(GroupLane, Local)>, Option<Timestamp>);

/// Parked heads and redriven dead letters that may be handled now, and when the next head may be.
pub(crate) fn due(
    db: &Connection,
    lanes: &[(i64, GroupLane)],
    limit: usize,
    now: Timestamp,
) -> Result<Due, StoreError> {
    let busy = "SELECT hearer FROM parked UNION SELECT hearer FROM dead WHERE state = 1";
    let busy: BTreeSet<i64> = all(db, busy, [], |row| row.get(0))?.into_iter().collect();
    let (mut due, mut next) = (Vec::new(), None);
    for (id, lane) in lanes.iter().filter(|(id, _)| busy.contains(id)) {
        for (seq, time) in heads(db, *id)? {
            if time <= now {
                due.push((lane.clone(), Local::Released(seq)));
            } else {
                next = next.into_iter().chain([time]).min();
            }
        }
        due.extend(redriven(db, *id, limit)?.into_iter().map(|local| (lane.clone(), local)));
    }
    Ok((due, next))
}
