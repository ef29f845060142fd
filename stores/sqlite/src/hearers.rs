//! Who hears what, and the rows of lanes, as they are stored.

use crate::rows::{execute, one, uint};
use oms_core::{id::Name, message::GroupLane, store::StoreError};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of lanes, made where they are missing, each with the positions it has reserved.
pub(crate) fn make_lanes(
    db: &Connection,
    lanes: Vec<GroupLane>,
) -> Result<Vec<(i64, GroupLane, u64)>, StoreError> {
    let mut made = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let sql = "INSERT INTO lane (grp, lane) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        execute(db, sql, params![&*lane.group, lane.lane])?;
        let sql = "SELECT id, reserved FROM lane WHERE grp = ?1 AND lane = ?2";
        let row = one(db, sql, params![&*lane.group, lane.lane], |row| Ok((row.get(0)?, uint(row.get(1)?))))?;
        made.extend(row.map(|(id, reserved)| (id, lane, reserved)));
    }
    Ok(made)
}

/// Stores who hears what; gives the new revision.
pub(crate) fn put_hears(
    db: &Connection,
    hears: &BTreeMap<Name, BTreeSet<Name>>,
    lanes: u16,
) -> Result<u64, StoreError> {
    execute(db, "DELETE FROM hears", [])?;
    for (group, topics) in hears {
        for topic in topics.iter().map(|topic| &**topic).chain([""]) {
            execute(
                db,
                "INSERT OR IGNORE INTO hears (grp, topic) VALUES (?1, ?2)",
                params![&**group, topic],
            )?;
        }
    }
    execute(db, "INSERT OR REPLACE INTO meta VALUES ('lanes', ?1)", params![lanes])?;
    let sql = "INSERT INTO meta VALUES ('revision', 1) ON CONFLICT DO UPDATE SET value = value + 1";
    execute(db, sql, [])?;
    let sql = "SELECT value FROM meta WHERE name = 'revision'";
    Ok(one(db, sql, [], |row| row.get(0).map(uint))?.unwrap_or(1))
}
