//! Writing recorded rows again.

use super::record::Recording;
use crate::{
    fault::Fault,
    load::Sample,
    meter::{Stopwatch, pressure},
};
use oms_sqlite::Synchronous;
use rusqlite::{CachedStatement, Connection, params_from_iter};
use std::{fs, path::Path};
use tempfile::TempDir;

impl Recording {
    /// Writes the rows again, in about `commits_each` transactions for each order, into a copy of the file they came from.
    ///
    /// # Errors
    /// [`Fault`], by what failed.
    pub fn write(&self, synchronous: Synchronous, commits_each: f64) -> Result<Sample, Fault> {
        let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
        let path = folder.path().join("floor.db");
        fs::copy(self.base(), &path).map_err(|error| Fault::place(&path, error))?;
        let db = open(&path, synchronous).map_err(Fault::measured)?;
        let commits = (commits_each * self.orders as f64).round().max(1.0) as usize;
        self.written(&db, commits).map_err(Fault::measured)
    }

    fn written(&self, db: &Connection, commits: usize) -> rusqlite::Result<Sample> {
        let prepared = self.statements.iter().map(|sql| db.prepare_cached(sql));
        let mut statements: Vec<CachedStatement<'_>> = prepared.collect::<Result<_, _>>()?;
        let (mut begin, mut commit) = (db.prepare_cached("BEGIN IMMEDIATE")?, db.prepare_cached("COMMIT")?);
        let size = self.changes.len().div_ceil(commits).max(1);
        let watch = Stopwatch::start();
        let (mut rows, mut transactions) = (0, 0);
        for group in self.changes.chunks(size) {
            begin.execute([])?;
            for change in group {
                rows += statements[change.sql].execute(params_from_iter(&change.values))? as u64;
            }
            commit.execute([])?;
            transactions += 1;
        }
        let (times, orders) = (watch.read(), self.orders);
        Ok(Sample { orders, times, rows, commits: transactions, pressure: pressure(), ..Sample::default() })
    }
}

/// Opens the file as the store does.
fn open(path: &Path, synchronous: Synchronous) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.set_prepared_statement_cache_capacity(128);
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let synchronous = match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    db.pragma_update(None, "cache_size", -32_768)?;
    Ok(db)
}
