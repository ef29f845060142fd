//! Alarms: one row per stream with a deadline, moved lazily; the deadline itself stands on the stream's newest row.

use crate::{
    owed,
    present::{Book, SharedPresent, present},
    rows::{all, execute, failed, int, newest, one, pack_row, rank, stream_id, uint},
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Key},
    store::{Deadline, StoreError, StreamId},
};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// One alarm row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) hearer: i64,
    pub(crate) look: Timestamp,
    pub(crate) set_at: u64,
    /// Whether the deadline's clock runs: what it waits for was heard.
    started: bool,
    pub(crate) fired: u64,
    /// The deadline's key, where that is not the stream's id.
    key: Option<Name>,
}

/// The key of a deadline, where it is not the stream's id.
fn other_key(id: &StreamId, deadline: &Deadline) -> Option<Name> {
    (*deadline.key != *id.id).then(|| deadline.key.clone())
}

/// The lane that hears a deadline's firing.
pub(crate) fn lane_of(deadline: &Deadline, lanes: u16) -> GroupLane {
    GroupLane { group: deadline.group.clone(), lane: Key::new(deadline.key.clone()).lane(lanes) }
}

/// The alarm of a stream.
pub(crate) fn find(db: &Connection, id: &StreamId) -> Result<Option<Alarm>, StoreError> {
    let sql = "SELECT hearer, look, set_at, started, fired, key FROM alarm WHERE kind = ?1 AND stream = ?2 AND rank = ?3";
    one(db, sql, params![&*id.kind, &*id.id, rank(id.rank)], |row| {
        Ok(Alarm {
            hearer: row.get(0)?,
            look: Timestamp(row.get(1)?),
            set_at: uint(row.get(2)?),
            started: row.get(3)?,
            fired: uint(row.get(4)?),
            key: row.get_ref(5)?.as_str_or_null()?.map(Name::from),
        })
    })
}

fn put(db: &Connection, id: &StreamId, alarm: &Alarm) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO alarm (kind, stream, rank, hearer, look, set_at, started, fired, key)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let Alarm { hearer, look, set_at, started, fired, key } = alarm;
    let (set_at, fired) = (int(*set_at), int(*fired));
    let row =
        params![&*id.kind, &*id.id, rank(id.rank), hearer, look.0, set_at, started, fired, key.as_deref()];
    execute(db, sql, row).map(drop)
}

fn remove(db: &Connection, id: &StreamId) -> Result<(), StoreError> {
    let sql = "DELETE FROM alarm WHERE kind = ?1 AND stream = ?2 AND rank = ?3";
    execute(db, sql, params![&*id.kind, &*id.id, rank(id.rank)]).map(drop)
}

/// Sees to it that a changed deadline is looked at in time. A look that is early enough already is left as it is:
/// it will find the newer deadline and move on.
pub(crate) fn follow(
    db: &Connection,
    id: &StreamId,
    deadline: Option<&Deadline>,
    hearer: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    // A deadline that was cleared is found out by the look that is left.
    let Some(deadline) = deadline else { return Ok(()) };
    let (look, key) = (now.after(deadline.delay), other_key(id, deadline));
    let mut fired = 0;
    if let Some(known) = find(db, id)? {
        if known.set_at == deadline.set_at {
            fired = known.fired + 1;
        } else if known.hearer == hearer && known.look <= look && known.key == key {
            return Ok(());
        }
    }
    let started = deadline.waits_for.is_none();
    put(db, id, &Alarm { hearer, look, set_at: deadline.set_at, started, fired, key })
}

/// Takes away a firing: it must be the next one of the deadline that stands. The alarm goes unless it is set again.
pub(crate) fn fire(
    db: &Connection,
    id: &StreamId,
    (set_at, firing): (u64, u64),
    hearer: i64,
    set_again: bool,
) -> Result<(), StoreError> {
    let ours = |alarm: &Alarm| (alarm.hearer, alarm.set_at, alarm.fired + 1) == (hearer, set_at, firing);
    let stands = newest(db, id)?.deadline.is_some_and(|deadline| deadline.set_at == set_at);
    if !stands || !find(db, id)?.as_ref().is_some_and(ours) {
        return Err(StoreError::Conflict);
    }
    if set_again { Ok(()) } else { remove(db, id) }
}

/// What a look at a stream's alarm says.
pub(crate) enum Look {
    /// Its next firing is due.
    Due(Deadline, u64),
    /// Not yet, or no longer; with the change of its row, `None` to remove it.
    Moved(Option<Alarm>),
    /// Its time has not come.
    Waits,
}

/// Looks at an alarm, without changing it (rule 3).
pub(crate) fn look(
    db: &Connection,
    id: &StreamId,
    alarm: Alarm,
    shared: &SharedPresent,
    now: Timestamp,
) -> Result<Look, StoreError> {
    if alarm.look > now {
        return Ok(Look::Waits);
    }
    let Some(deadline) = newest(db, id)?.deadline else { return Ok(Look::Moved(None)) };
    let book = &*Arc::clone(&present(shared).book);
    let mut alarm = alarm;
    if alarm.set_at != deadline.set_at {
        let set = set_time(db, id, deadline.set_at)?.unwrap_or(now);
        let hearer = book.ids.get(&lane_of(&deadline, book.lanes)).copied().unwrap_or(alarm.hearer);
        let look = set.after(deadline.delay);
        let started = deadline.waits_for.is_none();
        let key = other_key(id, &deadline);
        alarm = Alarm { hearer, look, set_at: deadline.set_at, started, fired: 0, key };
        if look > now {
            return Ok(Look::Moved(Some(alarm)));
        }
    }
    let look = now.after(deadline.delay);
    if is_awaited(db, &deadline, book)? {
        return Ok(Look::Moved(Some(Alarm { look, ..alarm })));
    }
    let hash = Key::new(deadline.key.clone()).hash();
    if !alarm.started || present(shared).is_owed(alarm.hearer, hash) {
        return Ok(Look::Moved(Some(Alarm { look, started: true, ..alarm })));
    }
    Ok(Look::Due(deadline, alarm.fired + 1))
}

fn set_time(db: &Connection, id: &StreamId, set_at: u64) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT time FROM event WHERE kind = ?1 AND stream = ?2 AND rank = ?3 AND version >= ?4
        ORDER BY version LIMIT 1";
    one(db, sql, params![&*id.kind, &*id.id, rank(id.rank), int(set_at)], |row| row.get(0).map(Timestamp))
}

/// Whether the message that a deadline waits for is still owed to its group.
fn is_awaited(db: &Connection, deadline: &Deadline, book: &Book) -> Result<bool, StoreError> {
    let Some(wait) = &deadline.waits_for else { return Ok(false) };
    let Some(sender) = book.ids.get(&wait.pack.sender) else { return Ok(false) };
    let pack = pack_row(*sender, wait.pack.position);
    let lane = one(db, "SELECT lane FROM pack WHERE id = ?1", params![pack], |row| row.get(0))?;
    let hearer = lane.and_then(|lane| book.id(&wait.group, lane));
    hearer.map_or(Ok(false), |hearer| owed::is_owed(db, hearer, pack, wait.index))
}

/// The streams whose alarms of these lanes are to be looked at now, the first `limit` of them.
pub(crate) fn ripe(
    db: &Connection,
    lanes: &[i64],
    limit: usize,
    now: Timestamp,
) -> Result<Vec<(StreamId, i64)>, StoreError> {
    let sql = "SELECT kind, stream, rank, hearer FROM alarm WHERE look <= ?1 ORDER BY look";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let rows = statement.query_map(params![now.0], |row| Ok((stream_id(row, 0)?, row.get(3)?)));
    let own =
        |row: &rusqlite::Result<(StreamId, i64)>| row.as_ref().map_or(true, |(_, id)| lanes.contains(id));
    rows.and_then(|rows| rows.filter(own).take(limit).collect()).map_err(failed)
}

/// When the next alarm of these lanes is to be looked at.
pub(crate) fn next(db: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(look) FROM alarm WHERE look > ?1";
    Ok(one(db, sql, params![now.0], |row| row.get::<_, Option<i64>>(0))?.flatten().map(Timestamp))
}

/// Looks at ripe alarms and puts off those that must wait; gives those that are due.
pub(crate) fn sweep(
    db: &Connection,
    ripe: Vec<(StreamId, i64)>,
    shared: &SharedPresent,
    now: Timestamp,
) -> Result<Vec<(StreamId, i64)>, StoreError> {
    let mut due = Vec::new();
    for (id, _) in ripe {
        let Some(alarm) = find(db, &id)? else { continue };
        let hearer = alarm.hearer;
        match look(db, &id, alarm, shared, now)? {
            Look::Due(..) => due.push((id, hearer)),
            Look::Moved(Some(alarm)) => put(db, &id, &alarm)?,
            Look::Moved(None) => remove(db, &id)?,
            Look::Waits => {}
        }
    }
    Ok(due)
}

/// The streams that may have a deadline of a key.
pub(crate) fn of_key(db: &Connection, key: &str) -> Result<Vec<StreamId>, StoreError> {
    let sql = "SELECT kind, stream, rank FROM alarm WHERE key = ?1";
    let mut streams = all(db, sql, params![key], |row| stream_id(row, 0))?;
    let (next, own) = (
        "SELECT kind FROM alarm WHERE kind > ?1 ORDER BY kind LIMIT 1",
        "SELECT kind, stream, rank FROM alarm WHERE kind = ?1 AND stream = ?2 AND key IS NULL",
    );
    let mut kind = String::new();
    // There are few kinds, and very many streams of each.
    while let Some(found) = one(db, next, params![kind], |row| row.get::<_, String>(0))? {
        streams.extend(all(db, own, params![found, key], |row| stream_id(row, 0))?);
        kind = found;
    }
    Ok(streams)
}

/// When a deadline is looked at in truth: a look that was left by an earlier one comes sooner, and changes nothing.
pub(crate) fn true_look(
    db: &Connection,
    id: &StreamId,
    deadline: &Deadline,
) -> Result<Timestamp, StoreError> {
    let alarm = find(db, id)?.filter(|alarm| alarm.set_at == deadline.set_at);
    let set = || Ok(set_time(db, id, deadline.set_at)?.unwrap_or_default().after(deadline.delay));
    alarm.map_or_else(set, |alarm| Ok(alarm.look))
}
