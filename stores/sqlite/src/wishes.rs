//! Wishes in the file: those that are due, those that are claimed, those that are let go of.

use crate::{
    known::{Due, Queue, Wish},
    present::{After, Book, SharedPresent, present},
    rows::{blob, execute, failed, name, one, stream_id},
};
use oms_core::{
    clock::Timestamp,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name},
    store::{Doing, Lease, Postponed, StoreError},
};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};

/// Gives claims back when they were not brought to whoever asked: nobody was told.
pub(crate) struct Claim<'a> {
    present: &'a SharedPresent,
    wishes: Vec<(EffectKey, Wish)>,
}

impl<'a> Claim<'a> {
    /// Claims those of these wishes that still may be, under the lock of their lane.
    pub(crate) fn take(
        shared: &'a SharedPresent,
        leases: &[Lease],
        due: Vec<Due>,
    ) -> Result<Self, StoreError> {
        let mut memory = present(shared);
        memory.all_held(leases)?;
        Ok(Self { present: shared, wishes: memory.known.claim(due) })
    }

    pub(crate) fn wishes(&self) -> &[(EffectKey, Wish)] {
        &self.wishes
    }

    pub(crate) fn keep(mut self) {
        self.wishes.clear();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.wishes.is_empty() {
            let known = &mut present(self.present).known;
            self.wishes.iter().for_each(|(key, _)| known.give_back(key));
        }
    }
}

/// A search of the file for what is due. However it ends, what it does not bring is expected again.
pub(crate) struct Search<'a> {
    present: &'a SharedPresent,
    looks: Vec<(Queue, Timestamp)>,
    /// What was chosen, until it is claimed.
    chosen: Vec<(Queue, Timestamp)>,
}

impl<'a> Search<'a> {
    /// Searches where something may be due; gives also the lanes, and what is known by heart of them and may be claimed.
    pub(crate) fn begin(
        shared: &'a SharedPresent,
        leases: &[Lease],
        gateway: &Name,
        (limit, now): (usize, Timestamp),
    ) -> Result<(Self, BTreeSet<i64>, Vec<Due>), StoreError> {
        let mut memory = present(shared);
        memory.all_held(leases)?;
        let lanes: BTreeSet<i64> =
            leases.iter().filter_map(|lease| memory.book.ids.get(&lease.lane)).copied().collect();
        let pending = memory.known.pending(&lanes, gateway, limit);
        let looks = memory.known.take_expected(&lanes, gateway, now);
        Ok((Self { present: shared, looks, chosen: Vec::new() }, lanes, pending))
    }

    /// Where it searches.
    pub(crate) fn queues(&self) -> Vec<Queue> {
        self.looks.iter().map(|(queue, _)| queue.clone()).collect()
    }

    /// Chooses the first `limit` of all, by lane.
    pub(crate) fn choose(
        &mut self,
        mut all: Vec<Due>,
        filed: Filed,
        limit: usize,
    ) -> BTreeMap<i64, Vec<Due>> {
        all.extend(filed.due);
        all.sort_by_key(|due| (due.wish.look, due.wish.row));
        let rest = all.split_off(limit.min(all.len()));
        let looks = |dues: &[Due]| {
            let filed = dues.iter().filter(|due| due.filed);
            filed.map(|due| (due.wish.queue.clone(), due.wish.look)).collect::<Vec<_>>()
        };
        (self.looks, self.chosen) = (filed.later, looks(&all));
        self.looks.extend(looks(&rest));
        let mut lanes: BTreeMap<i64, Vec<Due>> = BTreeMap::new();
        for due in all {
            lanes.entry(due.wish.queue.0).or_default().push(due);
        }
        lanes
    }

    /// Ends with all that was chosen claimed.
    pub(crate) fn end(mut self) {
        self.chosen.clear();
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        let mut looks = std::mem::take(&mut self.looks);
        looks.append(&mut self.chosen);
        if !looks.is_empty() {
            let known = &mut present(self.present).known;
            looks.into_iter().for_each(|(queue, look)| known.expect(queue, look));
        }
    }
}

/// What the file says is due.
#[derive(Default)]
pub(crate) struct Filed {
    due: Vec<Due>,
    /// When the one behind is due, in each queue that has one.
    later: Vec<(Queue, Timestamp)>,
}

/// The first due wishes of each queue that are not known by heart, and when the one behind them is due.
pub(crate) fn due(
    db: &Connection,
    shared: &SharedPresent,
    queues: &[Queue],
    (limit, now): (usize, Timestamp),
) -> Result<Filed, StoreError> {
    // The index alone answers this: what is known already is passed over without a look at its row.
    let sql =
        "SELECT id, look FROM effect WHERE lane = ?1 AND gateway = ?2 AND look IS NOT NULL ORDER BY look, id";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut filed = Filed::default();
    for queue in queues {
        let rows = statement.query_map(params![queue.0, &*queue.1], |row| Ok((row.get(0)?, row.get(1)?)));
        let mut own = 0;
        for row in rows.map_err(failed)? {
            let (row, look) = row.map(|(row, look)| (row, Timestamp(look))).map_err(failed)?;
            if present(shared).known.has_row(row) {
                continue;
            }
            if look > now || own >= limit {
                filed.later.push((queue.clone(), look));
                break;
            }
            own += 1;
            filed.due.extend(read_due(db, row, look, queue)?);
        }
    }
    Ok(filed)
}

fn read_due(db: &Connection, row: i64, look: Timestamp, queue: &Queue) -> Result<Option<Due>, StoreError> {
    let sql = "SELECT ord, step, attempt, kind, stream, rank FROM effect WHERE id = ?1";
    one(db, sql, params![row], |found| {
        let key = EffectKey { order: name(found, 0)?, step: name(found, 1)?, attempt: found.get(2)? };
        let (queue, stream) = (queue.clone(), stream_id(found, 3)?);
        let wish = Wish { row, queue, stream, look, claimed: false, maybe_told: true };
        Ok(Due { key, wish, filed: true })
    })
}

/// Drops those that the file does not call due any more.
pub(crate) fn still_due(db: &Connection, due: Vec<Due>, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let sql = "SELECT 1 FROM effect WHERE id = ?1 AND look <= ?2";
    let mut still = Vec::with_capacity(due.len());
    for one_due in due {
        let there = || one(db, sql, params![one_due.wish.row, now.0], |_| Ok(()));
        if !one_due.filed || there()?.is_some() {
            still.push(one_due);
        }
    }
    Ok(still)
}

/// Reads claimed wishes.
pub(crate) fn wishes(
    db: &Connection,
    book: &Book,
    claimed: &[(EffectKey, Wish)],
) -> Result<Vec<Doing>, StoreError> {
    let sql =
        "SELECT lane, gateway, kind, stream, rank, cause, request, heard, calls FROM effect WHERE id = ?1";
    let mut doings = Vec::with_capacity(claimed.len());
    for (key, wish) in claimed {
        let doing = one(db, sql, params![wish.row], |row| {
            let cause = MessageId(u128::from_be_bytes(row.get(5)?));
            let (gateway, stream, request) = (name(row, 1)?, stream_id(row, 2)?, blob(row, 6)?);
            let heard: Option<[u8; 16]> = row.get(7)?;
            Ok(Doing {
                effect: Effect { key: key.clone(), stream, gateway, request, cause },
                lane: book.name(row.get(0)?),
                maybe_told: wish.maybe_told,
                heard: heard.map(|heard| MessageId(u128::from_be_bytes(heard))),
                calls: row.get(8)?,
            })
        })?;
        doings.extend(doing);
    }
    Ok(doings)
}

/// Whether a wish that is not known by heart still stands.
pub(crate) fn stands(db: &Connection, lane: i64, key: &EffectKey) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM effect WHERE ord = ?1 AND step = ?2 AND attempt = ?3 AND lane = ?4";
    Ok(one(db, sql, params![&*key.order, &*key.step, key.attempt, lane], |_| Ok(()))?.is_some())
}

/// Lets go of those of these wishes that are claimed under their lease.
pub(crate) fn postpone(
    db: &Connection,
    shared: &SharedPresent,
    wishes: &[Postponed],
    now: Timestamp,
) -> Result<After, StoreError> {
    let sql = "UPDATE effect SET look = ?2, heard = coalesce(?3, heard), calls = ?4 WHERE id = ?1";
    let mut after = After::default();
    for wish in wishes {
        let Some((row, queue)) = claimed_under(shared, &wish.lease, &wish.effect) else { continue };
        let look = now.after(wish.again);
        let heard = wish.heard.map(|heard| heard.0.to_be_bytes());
        if execute(db, sql, params![row, look.0, heard, wish.calls])? > 0 {
            after.parted.push(wish.effect.clone());
            after.looks.push((queue, look));
        }
    }
    Ok(after)
}

fn claimed_under(shared: &SharedPresent, lease: &Lease, key: &EffectKey) -> Option<(i64, Queue)> {
    let memory = present(shared);
    let wish = memory.known.get(key).filter(|wish| wish.claimed && memory.holds(lease))?;
    let own = memory.book.ids.get(&lease.lane) == Some(&wish.queue.0);
    own.then(|| (wish.row, wish.queue.clone()))
}
