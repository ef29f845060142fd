//! Dead letters and parked messages as they are read.

use crate::{
    present::Book,
    rows::{all, blob, cap, execute, int, name, one, pack_id, uint},
    wire::unpack_message,
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Key},
    store::{DeadLetter, DeadLetterState, Local, LocalMessage, PUBLIC, Pick, StoreError},
};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

pub(crate) const BURIED: i64 = 0;
pub(crate) const REDRIVEN: i64 = 1;
pub(crate) const HANDLED: i64 = 2;
/// Redriven, and parked since: its release stands for it.
pub(crate) const REDRIVEN_PARKED: i64 = 3;

/// Dead letters after a number, in order.
pub(crate) fn list(
    db: &Connection,
    book: &Book,
    pick: &Pick,
    after: u64,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = "SELECT number, hearer, message, pack, place, error, attempts, time, state FROM dead
        WHERE number > ?1 ORDER BY number LIMIT 64";
    let (mut letters, mut after) = (Vec::new(), after);
    loop {
        let rows = all(db, sql, params![int(after)], |row| {
            let origin = row.get::<_, Option<i64>>(3)?.zip(row.get::<_, Option<u16>>(4)?);
            let state = match row.get::<_, i64>(8)? {
                BURIED => DeadLetterState::Buried,
                HANDLED => DeadLetterState::Handled,
                _ => DeadLetterState::Redriven,
            };
            let message = unpack_message(&blob(row, 2)?);
            let (number, lane) = (uint(row.get(0)?), book.name(row.get(1)?));
            let (error, attempts, time) = (name(row, 5)?, row.get(6)?, Timestamp(row.get(7)?));
            let origin = origin.map(|(pack, place)| (pack_id(pack, book), place));
            Ok(message.map(|message| DeadLetter {
                number,
                lane,
                message,
                origin,
                error,
                attempts,
                time,
                state,
            }))
        })?;
        let Some(last) = rows.last() else { return Ok(letters) };
        after = last.as_ref().map_or(u64::MAX, |letter| letter.number);
        for letter in rows {
            let letter = letter?;
            if letters.len() >= limit {
                return Ok(letters);
            }
            if is_picked(pick, &letter) {
                letters.push(letter);
            }
        }
    }
}

fn is_picked(pick: &Pick, letter: &DeadLetter) -> bool {
    match pick {
        Pick::Numbers(numbers) => numbers.contains(&letter.number),
        Pick::Group(group) => letter.lane.group == *group,
        Pick::Kind(kind) => letter.message.envelope.kind == *kind,
        Pick::Everything => true,
    }
}

/// Asks for buried dead letters to be handled again; gives how many were newly asked.
pub(crate) fn redrive(db: &Connection, book: &Book, pick: &Pick) -> Result<usize, StoreError> {
    let mut asked = 0;
    for letter in list(db, book, pick, 0, usize::MAX)? {
        if &*letter.lane.group == PUBLIC {
            continue;
        }
        let sql = "UPDATE dead SET state = 1 WHERE number = ?1 AND state = 0";
        asked += execute(db, sql, params![int(letter.number)])?;
    }
    Ok(asked)
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
    let bytes = crate::wire::pack_message(message);
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
