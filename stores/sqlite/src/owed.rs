//! What a lane owes itself: rows with marks for each place of a pack.

use crate::{
    present::After,
    rows::{blob, execute, failed, name, one, pack_row, sender_of},
};
use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::Limit,
    store::{
        End, StoreError,
        marks::{LEFT, Marks, PARKED, key_at, mark_of},
        wire::Damaged,
    },
};
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeMap, BTreeSet};

/// One owed row.
#[derive(Clone, Debug)]
pub(crate) struct OwedRow {
    pub(crate) pack: i64,
    pub(crate) topic: Name,
    pub(crate) since: Timestamp,
    pub(crate) size: usize,
    pub(crate) marks: Marks,
}

impl OwedRow {
    /// Reads the columns pack, topic, since, size, count, marks.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            pack: row.get(0)?,
            topic: name(row, 1)?,
            since: Timestamp(row.get(2)?),
            size: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(usize::MAX),
            marks: Marks::new(row.get(4)?, row.get(5)?),
        })
    }
}

/// The owed row of a pack, if there is one.
pub(crate) fn find(db: &Connection, hearer: i64, pack: i64) -> Result<Option<OwedRow>, StoreError> {
    let sql = "SELECT pack, topic, since, size, count, marks FROM owed WHERE hearer = ?1 AND pack = ?2";
    one(db, sql, params![hearer, pack], OwedRow::read)
}

/// An owed row with what is given out of it.
pub(crate) struct Open {
    pub(crate) row: OwedRow,
    pub(crate) left: Vec<u16>,
    pub(crate) cut: bool,
    pub(crate) bytes: Option<Bytes>,
    pub(crate) overdue: bool,
}

/// What a look at the lane gives: rows in order with their bytes unless delivered, and what is not owed.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) rows: Vec<Open>,
    pub(crate) duplicates: Vec<i64>,
}

/// Reads what is owed of `asked`, everything earlier of the same sender and topic, and all that is overdue.
pub(crate) fn look(
    db: &Connection,
    hearer: i64,
    asked: &BTreeMap<i64, Option<&Bytes>>,
    before: Option<Timestamp>,
    limit: Limit,
) -> Result<Looked, StoreError> {
    let mut looked = Looked::default();
    let mut last: BTreeMap<(i64, Name), i64> = BTreeMap::new();
    for (pack, brought) in asked {
        match find(db, hearer, *pack)?.filter(|row| row.marks.is_open()) {
            Some(row) if is_same(db, &row, *brought)? => {
                let end = last.entry((sender_of(*pack), row.topic)).or_insert(*pack);
                *end = (*end).max(*pack);
            }
            Some(_) | None => looked.duplicates.push(*pack),
        }
    }
    let mut late = BTreeSet::new();
    if let Some(before) = before {
        let each = limit.messages.max(1);
        oldest(db, hearer, |taken, row| {
            if row.since >= before || taken >= each {
                return false;
            }
            late.insert(row.pack);
            let end = last.entry((sender_of(row.pack), row.topic)).or_insert(row.pack);
            *end = (*end).max(row.pack);
            true
        })?;
    }
    let strange: BTreeSet<i64> = looked.duplicates.iter().copied().collect();
    let delivered = |pack| asked.contains_key(&pack) && !strange.contains(&pack);
    fill(db, hearer, &last, limit, &mut looked, &|pack| (delivered(pack), late.contains(&pack)))?;
    Ok(looked)
}

/// Reads the rows up to the last one of each sender and topic, oldest first, and cuts them at the limit.
fn fill(
    db: &Connection,
    hearer: i64,
    last: &BTreeMap<(i64, Name), i64>,
    limit: Limit,
    looked: &mut Looked,
    known: &dyn Fn(i64) -> (bool, bool),
) -> Result<(), StoreError> {
    let room = limit.messages.max(1);
    let mut rows = Vec::new();
    for ((sender, topic), end) in last {
        rows.extend(queue(db, hearer, (*sender, topic), *end, room)?);
    }
    // Senders take turns by age; within one the order is that of its positions.
    rows.sort_by_key(|(age, _)| *age);
    let (mut room, mut bytes) = (room, 0);
    for (_, row) in rows {
        bytes += row.size;
        if room == 0 || (bytes > limit.bytes && !looked.rows.is_empty()) {
            break;
        }
        let mut left = row.marks.places(&[LEFT]);
        let cut = left.len() > room;
        left.truncate(room);
        room -= left.len();
        let (delivered, overdue) = known(row.pack);
        let bytes = if delivered { None } else { Some(body(db, row.pack)?) };
        looked.rows.push(Open { row, left, cut, bytes, overdue });
    }
    Ok(())
}

/// The open rows of one sender and topic, each with an age that never falls along the positions.
fn queue(
    db: &Connection,
    hearer: i64,
    (sender, topic): (i64, &Name),
    end: i64,
    room: usize,
) -> Result<Vec<(Timestamp, OwedRow)>, StoreError> {
    let sql = "SELECT pack, topic, since, size, count, marks FROM owed
        WHERE hearer = ?1 AND pack BETWEEN ?2 AND ?3 AND topic = ?4 ORDER BY pack";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let from = pack_row(sender, 0);
    let rows = statement.query_map(params![hearer, from, end, &**topic], OwedRow::read).map_err(failed)?;
    let (mut open, mut age) = (Vec::new(), Timestamp(i64::MIN));
    for row in rows {
        let row = row.map_err(failed)?;
        if !row.marks.is_open() {
            continue;
        }
        age = age.max(row.since);
        open.push((age, row));
        if open.len() >= room {
            break;
        }
    }
    Ok(open)
}

/// Shows the open rows of each sender, oldest first, with how many of it were taken, until `take` has enough of that sender.
/// A sender's rows do not grow younger along its positions: nothing behind one that is young enough is looked at.
pub(crate) fn oldest(
    db: &Connection,
    hearer: i64,
    mut take: impl FnMut(usize, OwedRow) -> bool,
) -> Result<(), StoreError> {
    let sql = "SELECT pack, topic, since, size, count, marks FROM owed
        WHERE hearer = ?1 AND pack >= ?2 ORDER BY pack";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut next = Some(0);
    while let Some(from) = next.take() {
        let (mut sender, mut taken) = (None, 0);
        for row in statement.query_map(params![hearer, from], OwedRow::read).map_err(failed)? {
            let row = row.map_err(failed)?;
            let own = sender_of(row.pack);
            if sender.is_some_and(|sender| sender != own) {
                (sender, taken) = (None, 0);
            }
            if !row.marks.is_open() {
                continue;
            }
            sender = Some(own);
            if !take(taken, row) {
                next = Some(pack_row(own + 1, 0));
                break;
            }
            taken += 1;
        }
    }
    Ok(())
}

/// Whether what was brought is what is owed, byte for byte: another database may have left a pack of that name.
fn is_same(db: &Connection, row: &OwedRow, brought: Option<&Bytes>) -> Result<bool, StoreError> {
    let Some(brought) = brought else { return Ok(true) };
    if row.size != brought.len() {
        return Ok(false);
    }
    let sql = "SELECT bytes FROM pack WHERE id = ?1";
    let same = one(db, sql, params![row.pack], |row| Ok(row.get_ref(0)?.as_blob()? == &brought[..]))?;
    same.ok_or_else(|| Damaged.into())
}

fn body(db: &Connection, pack: i64) -> Result<Bytes, StoreError> {
    let found = one(db, "SELECT bytes FROM pack WHERE id = ?1", params![pack], |row| blob(row, 0))?;
    found.ok_or_else(|| Damaged.into())
}

/// Marks or takes away places that must have the mark `from`.
pub(crate) fn settle(
    db: &Connection,
    after: &mut After,
    hearer: i64,
    pack: i64,
    places: &[u16],
    from: u8,
    end: End,
) -> Result<(), StoreError> {
    let mut row = find(db, hearer, pack)?.ok_or(StoreError::Conflict)?;
    let to = mark_of(end);
    let waits = |mark: u8| i64::from([LEFT, PARKED].contains(&mark));
    let keys = one(db, "SELECT keys FROM pack WHERE id = ?1", params![pack], |row| blob(row, 0))?;
    let keys = keys.ok_or(StoreError::Conflict)?;
    row.marks.end(places, from, end)?;
    let owing = waits(to) - waits(from);
    after.keys.extend(places.iter().filter_map(|place| Some((hearer, key_at(&keys, *place)?, owing))));
    if row.marks.is_done() {
        after.owed -= 1;
        return remove(db, hearer, pack);
    }
    let marks = row.marks.bytes();
    let sole = "UPDATE pack SET marks = ?3 WHERE id = ?2 AND hearer = ?1";
    let sql = "UPDATE shared SET marks = ?3 WHERE hearer = ?1 AND pack = ?2";
    if execute(db, sole, params![hearer, pack, marks])? == 0 {
        execute(db, sql, params![hearer, pack, marks])?;
    }
    Ok(())
}

/// Removes an owed row, and with the last one of a pack its body.
fn remove(db: &Connection, hearer: i64, pack: i64) -> Result<(), StoreError> {
    if execute(db, "DELETE FROM pack WHERE id = ?2 AND hearer = ?1", params![hearer, pack])? == 0 {
        execute(db, "DELETE FROM shared WHERE hearer = ?1 AND pack = ?2", params![hearer, pack])?;
        bury_body(db, pack)?;
    }
    Ok(())
}

/// Removes a pack that several lanes heard when none of them is owed it any more.
pub(crate) fn bury_body(db: &Connection, pack: i64) -> Result<usize, StoreError> {
    // Every hearer has the pack's own lane number, so that this is one look for each group.
    let sql = "DELETE FROM pack WHERE id = ?1 AND hearer IS NULL AND NOT EXISTS (SELECT 1 FROM lane
        CROSS JOIN shared ON shared.hearer = lane.id AND shared.pack = pack.id WHERE lane.lane = pack.lane)";
    execute(db, sql, params![pack])
}

/// Whether a place is owed: left or parked, not buried.
pub(crate) fn is_owed(db: &Connection, hearer: i64, pack: i64, place: u16) -> Result<bool, StoreError> {
    Ok(find(db, hearer, pack)?.is_some_and(|row| [LEFT, PARKED].contains(&row.marks.of(place))))
}

/// Counts every key that is owed to a lane, left or parked: for the count in memory.
pub(crate) fn all_keys(db: &Connection, mut count: impl FnMut(i64, u32)) -> rusqlite::Result<()> {
    let sql = "SELECT pack.id, pack.topic, owed.since, size, count, owed.marks, owed.hearer, keys FROM owed
        JOIN pack ON pack.id = owed.pack";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (owed, hearer, keys) = (OwedRow::read(row)?, row.get(6)?, row.get_ref(7)?.as_blob()?);
        let places = owed.marks.places(&[LEFT, PARKED]).into_iter();
        places.filter_map(|place| key_at(keys, place)).for_each(|key| count(hearer, key));
    }
    Ok(())
}
