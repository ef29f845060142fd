//! Ending a group: everything of it that is in flight goes; its events stay.

use crate::{
    owed,
    present::After,
    rows::{all, execute, one},
};
use oms_core::store::{PUBLIC, StoreError};
use rusqlite::{Connection, params};

/// Whether a group has public packs that were not relayed.
pub(crate) fn is_unrelayed(db: &Connection, group: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM owed WHERE hearer IN (SELECT id FROM lane WHERE grp = ?2)
        AND (marks IS NULL OR instr(marks, x'00') > 0)
        AND (pack >> 40) IN (SELECT id FROM lane WHERE grp = ?1) LIMIT 1";
    Ok(one(db, sql, params![group, PUBLIC], |_| Ok(()))?.is_some())
}

/// Whether a wish of the group that only the file knows may have been told.
pub(crate) fn is_watching(db: &Connection, group: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM lane CROSS JOIN effect ON effect.lane = lane.id
        WHERE lane.grp = ?1 AND effect.look IS NOT NULL LIMIT 1";
    Ok(one(db, sql, params![group], |_| Ok(()))?.is_some())
}

/// Removes all rows of a group; gives how many.
pub(crate) fn remove(db: &Connection, group: &str) -> Result<(u64, After), StoreError> {
    let mut after = After::default();
    let own = "IN (SELECT id FROM lane WHERE grp = ?1)";
    let packs =
        all(db, &format!("SELECT pack FROM shared WHERE hearer {own}"), params![group], |row| row.get(0))?;
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    let shared = execute(db, &format!("DELETE FROM shared WHERE hearer {own}"), params![group])?;
    let sole = execute(db, &format!("DELETE FROM pack WHERE hearer {own}"), params![group])?;
    let owed = shared + sole;
    after.ended = all(db, "SELECT id FROM lane WHERE grp = ?1", params![group], |row| row.get(0))?;
    for pack in packs {
        owed::bury_body(db, pack)?;
    }
    let buried =
        all(db, &format!("SELECT 1 FROM dead WHERE state = 0 AND hearer {own}"), params![group], |_| Ok(()))?;
    let parked = execute(db, &format!("DELETE FROM parked WHERE hearer {own}"), params![group])?;
    let dead = execute(db, &format!("DELETE FROM dead WHERE hearer {own}"), params![group])?;
    let wished = execute(db, &format!("DELETE FROM effect WHERE lane {own}"), params![group])?;
    let alarms = execute(db, &format!("DELETE FROM alarm WHERE hearer {own}"), params![group])?;
    (after.owed, after.parked, after.buried) = (-count(owed), -count(parked), -count(buried.len()));
    after.effects = -count(wished);
    after.orphans = true;
    Ok(((owed + parked + dead + wished + alarms) as u64, after))
}
