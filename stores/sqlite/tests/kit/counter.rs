//! Rows by table, counted by triggers in the file itself.

use rusqlite::Connection;
use std::{collections::BTreeMap, fmt, path::Path};

const ACTS: [&str; 3] = ["insert", "update", "delete"];

/// Rows that were inserted, updated and deleted, by table.
#[derive(Clone, Default)]
pub(crate) struct Counter(BTreeMap<(String, String), f64>);

impl Counter {
    /// Makes a store at `path` and has it count from now on.
    pub(crate) fn install(path: &Path) {
        drop(oms_sqlite::open(path).expect("opens"));
        let db = Connection::open(path).expect("opens");
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let names: Vec<String> = db
            .prepare(sql)
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
            .expect("tables");
        db.execute_batch(
            "CREATE TABLE counted (name TEXT, act TEXT, rows INTEGER, PRIMARY KEY (name, act));",
        )
        .expect("made");
        for name in names {
            for act in ACTS {
                db.execute_batch(&format!(
                    "INSERT INTO counted VALUES ('{name}', '{act}', 0);
                     CREATE TRIGGER count_{act}_{name} AFTER {act} ON {name} BEGIN
                       UPDATE counted SET rows = rows + 1 WHERE name = '{name}' AND act = '{act}';
                     END;"
                ))
                .expect("made");
            }
        }
    }

    pub(crate) fn read(path: &Path) -> Self {
        let db = Connection::open(path).expect("opens");
        let mut all = db.prepare("SELECT name, act, rows FROM counted").expect("prepared");
        let rows = all.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
        Self(rows.and_then(Iterator::collect).expect("counted"))
    }

    pub(crate) fn since(mut self, before: &Self) -> Self {
        self.0.iter_mut().for_each(|(key, rows)| *rows -= before.0.get(key).copied().unwrap_or_default());
        self
    }

    pub(crate) fn per(mut self, orders: usize) -> Self {
        self.0.values_mut().for_each(|rows| *rows /= orders as f64);
        self
    }

    pub(crate) fn rows(&self) -> f64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((name, act), rows) in self.0.iter().filter(|(_, rows)| **rows > 0.0) {
            writeln!(out, "{name:>8} {act:<6} {rows:8.2}")?;
        }
        write!(out, "    rows per order {:8.2}", self.rows())
    }
}
