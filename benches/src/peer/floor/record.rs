//! Recording: a house runs over a file that writes down its own changes.

use super::change::{Change, changes, tables, tally, watch};
use crate::{
    fault::Fault,
    house::{House, Keep, Plan},
    load::{Load, fill, place, with_runtime},
};
use oms_sqlite::Synchronous;
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The rows of a run, and the file as it was before them.
pub struct Recording {
    pub(super) folder: TempDir,
    pub(super) changes: Vec<Change>,
    pub(super) statements: Vec<String>,
    pub(super) tally: Vec<(String, String, u32)>,
    pub(super) orders: u64,
}

impl Recording {
    /// Rows of an order by table and by what was done to them: insert, update or delete.
    pub fn rows_each(&self) -> impl Iterator<Item = (&str, &str, f64)> {
        let each = |rows: u32| f64::from(rows) / self.orders as f64;
        self.tally.iter().map(move |(table, act, rows)| (table.as_str(), act.as_str(), each(*rows)))
    }

    pub(super) fn base(&self) -> PathBuf {
        self.folder.path().join("base.db")
    }
}

/// Records the rows of `load`.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn record(load: &Load) -> Result<Recording, Fault> {
    let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
    let path = folder.path().join("orders.db");
    // What a commit waits for changes how long it takes, not what it writes.
    let plan = Plan { times: false, ..Plan::over(Keep::File(path.clone(), Synchronous::Normal)) };
    with_runtime("the run before the recording", fill(&plan, load.basket, 0..load.warm, load.window))?;
    let base = folder.path().join("base.db");
    fs::copy(&path, &base).map_err(|error| Fault::place(&base, error))?;
    let tables = with(&path, |db| {
        let tables = tables(db)?;
        watch(db, &tables)?;
        Ok(tables)
    })?;
    let seq = with_runtime("the recorded run", async {
        let house = House::open(&plan).await?;
        let seq = with(&path, newest)?;
        let numbers = load.warm..load.warm + load.orders;
        place(&house, load.basket, numbers, load.window).await?;
        house.rest(0).await?;
        house.close().await;
        Ok(seq)
    })?;
    let (changes, statements) = with(&path, |db| changes(db, &tables, seq))?;
    let tally = with(&path, |db| tally(db, seq))?;
    let orders = load.orders as u64;
    Ok(Recording { folder, changes, statements: statements.texts, tally, orders })
}

fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(seq), 0) FROM written", [], |row| row.get(0))
}

fn with<T>(path: &Path, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
    let db = Connection::open(path).map_err(Fault::measured)?;
    act(&db).map_err(Fault::measured)
}
