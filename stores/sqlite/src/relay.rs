//! What the relay needs: packs after its cursor, where it stands, and what became of public packs.

use crate::{
    letters,
    owed::{self, OwedRow},
    present::{After, Book},
    rows::{all, blob, cap, execute, int, name, one, pack_id, pack_row, uint},
};
use oms_core::{
    clock::Timestamp,
    message::{GroupLane, Limit, Pack},
    store::{
        End, PUBLIC, PublicPack, StoreError,
        marks::{self, LEFT},
        wire::rejected,
    },
};
use rusqlite::{Connection, Row, params};

fn pack(row: &Row<'_>, book: &Book) -> rusqlite::Result<Pack> {
    let keys = row.get_ref(3)?.as_blob()?;
    let keys = marks::keys(keys);
    let id = pack_id(row.get(0)?, book);
    Ok(Pack { id, topic: name(row, 1)?, lane: row.get(2)?, keys, bytes: blob(row, 4)? })
}

/// How many packs are read at a time.
const PAGE: usize = 64;

/// How far each sender was relayed.
pub(crate) fn cursors(db: &Connection, senders: &[Option<i64>]) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT sent FROM lane WHERE id = ?1";
    let cursor = |id: &Option<i64>| match id {
        Some(id) => Ok(one(db, sql, params![id], |row| row.get(0).map(uint))?.unwrap_or(0)),
        None => Ok(0),
    };
    senders.iter().map(cursor).collect()
}

/// Packs after each sender's cursor with places left for someone, in order per sender.
pub(crate) fn unsent(
    db: &Connection,
    book: &Book,
    after: &[(i64, u64, u64)],
    limit: Limit,
) -> Result<Vec<Pack>, StoreError> {
    let sql = "SELECT id, topic, lane, keys, bytes FROM pack WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    let (mut packs, mut messages, mut bytes) = (Vec::new(), 0, 0);
    for (sender, position, _) in after {
        let (mut from, to) = (pack_row(*sender, *position), pack_row(sender + 1, 0));
        let mut more = true;
        while more {
            let rows = all(db, sql, params![from, to, cap(PAGE)], |row| {
                Ok((row.get::<_, i64>(0)?, pack(row, book)?))
            })?;
            let Some((last, _)) = rows.last() else { break };
            (from, more) = (*last, rows.len() == PAGE);
            for (row, pack) in rows {
                if !anyone_left(db, row, pack.lane)? {
                    continue;
                }
                messages += pack.keys.len().max(1);
                bytes += pack.bytes.len();
                if !packs.is_empty() && (messages > limit.messages || bytes > limit.bytes) {
                    return Ok(packs);
                }
                packs.push(pack);
            }
        }
    }
    Ok(packs)
}

fn anyone_left(db: &Connection, pack: i64, lane: u16) -> Result<bool, StoreError> {
    let sole = "SELECT pack, topic, since, size, count, marks FROM owed
        WHERE pack = ?1 AND hearer = (SELECT hearer FROM pack WHERE id = ?1)";
    if let Some(row) = one(db, sole, params![pack], OwedRow::read)? {
        return Ok(row.marks.is_open());
    }
    let sql = "SELECT pack, topic, since, size, count, marks FROM lane CROSS JOIN shared
        ON shared.hearer = lane.id AND shared.pack = ?1 WHERE lane.lane = ?2";
    Ok(all(db, sql, params![pack, lane], OwedRow::read)?.iter().any(|row| row.marks.is_open()))
}

/// Saves cursors.
pub(crate) fn save(db: &Connection, cursors: &[(i64, u64)]) -> Result<(), StoreError> {
    for (id, position) in cursors {
        let sql = "UPDATE lane SET sent = ?2 WHERE id = ?1 AND sent <> ?2";
        execute(db, sql, params![id, int(*position)])?;
    }
    Ok(())
}

/// Settles public packs: a confirmed one's row goes, a rejected one is buried. What is settled stays as it is.
pub(crate) fn settle(
    db: &Connection,
    book: &Book,
    packs: &[PublicPack],
    now: Timestamp,
) -> Result<After, StoreError> {
    let mut after = After::default();
    let sql = "SELECT id, topic, lane, keys, bytes FROM pack WHERE id = ?1";
    for public in packs {
        let Some(sender) = book.ids.get(&public.pack.sender) else { continue };
        let row = pack_row(*sender, public.pack.position);
        let Some(stored) = one(db, sql, params![row], |found| pack(found, book))? else { continue };
        let Some(hearer) = book.id(PUBLIC, stored.lane) else { continue };
        let left = owed::find(db, hearer, row)?.map(|owed| owed.marks.places(&[LEFT])).unwrap_or_default();
        if left.is_empty() {
            continue;
        }
        match &public.rejected {
            None => owed::settle(db, &mut after, hearer, row, &left, LEFT, End::Handled)?,
            Some(why) => {
                owed::settle(db, &mut after, hearer, row, &left, LEFT, End::Buried)?;
                letters::bury_public(db, hearer, (row, &rejected(&stored, now)), why, now)?;
                after.buried += 1;
            }
        }
    }
    Ok(after)
}

/// Removes up to `cap` packs that nobody is owed.
pub(crate) fn collect(db: &Connection, cap: i64) -> Result<usize, StoreError> {
    let sql = "DELETE FROM pack WHERE id IN (SELECT id FROM pack WHERE hearer IS NULL AND NOT EXISTS (SELECT 1 FROM lane
        CROSS JOIN shared ON shared.hearer = lane.id AND shared.pack = pack.id WHERE lane.lane = pack.lane) LIMIT ?1)";
    execute(db, sql, params![cap])
}

/// Those of `lanes` to which something is owed since before the moment beside them.
pub(crate) fn overdue(
    db: &Connection,
    lanes: Vec<(i64, GroupLane, Timestamp)>,
) -> Result<Vec<GroupLane>, StoreError> {
    let mut late = Vec::new();
    for (id, lane, before) in lanes {
        let mut is_late = false;
        owed::oldest(db, id, |_, row| {
            is_late |= row.since < before;
            false
        })?;
        if is_late {
            late.push(lane);
        }
    }
    Ok(late)
}
