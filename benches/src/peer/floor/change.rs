//! Changes of rows: how a file is made to write its own down, and how one is done again.

use rusqlite::{Connection, types::Value};
use std::collections::BTreeMap;

/// A table as far as a change of its rows needs it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    name: String,
    columns: Vec<String>,
    key: Vec<bool>,
}

/// One change of one row.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The statement that does it again.
    pub(super) sql: usize,
    /// What is bound to it.
    pub(super) values: Vec<Value>,
}

/// Statements, each once.
#[derive(Default)]
pub(super) struct Statements {
    pub(super) texts: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Statements {
    fn number(&mut self, sql: String) -> usize {
        let texts = &mut self.texts;
        *self.known.entry(sql).or_insert_with_key(|sql| {
            texts.push(sql.clone());
            texts.len() - 1
        })
    }
}

/// The tables of a store's file.
pub(super) fn tables(db: &Connection) -> rusqlite::Result<Vec<Table>> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    let names: Vec<String> = db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names.into_iter().map(|name| table(db, name)).collect()
}

fn table(db: &Connection, name: String) -> rusqlite::Result<Table> {
    let mut all = db.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let rows = all.query_map([&name], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? > 0)))?;
    let (columns, key) = rows.collect::<rusqlite::Result<Vec<(String, bool)>>>()?.into_iter().unzip();
    Ok(Table { name, columns, key })
}

/// Makes a file write every change of its rows into the table `written`, in their order.
pub(super) fn watch(db: &Connection, tables: &[Table]) -> rusqlite::Result<()> {
    let width = tables.iter().map(|table| table.columns.len()).max().unwrap_or_default();
    let columns: Vec<String> = (0..width).flat_map(|at| [format!("old{at}"), format!("new{at}")]).collect();
    db.execute_batch(&format!(
        "CREATE TABLE written (seq INTEGER PRIMARY KEY AUTOINCREMENT, tab TEXT, act TEXT, {});",
        columns.join(", ")
    ))?;
    tables.iter().try_for_each(|table| {
        ["INSERT", "UPDATE", "DELETE"].iter().try_for_each(|act| db.execute_batch(&table.trigger(act)))
    })
}

/// How often each table's rows were changed in each way after `seq`.
pub(super) fn tally(db: &Connection, seq: i64) -> rusqlite::Result<Vec<(String, String, u32)>> {
    let sql = "SELECT tab, lower(act), count(*) FROM written WHERE seq > ?1 GROUP BY 1, 2 ORDER BY 1, 2";
    let mut all = db.prepare(sql)?;
    let rows = all.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// Reads the changes after `seq`, and the statements they need.
pub(super) fn changes(
    db: &Connection,
    tables: &[Table],
    seq: i64,
) -> rusqlite::Result<(Vec<Change>, Statements)> {
    let mut statements = Statements::default();
    let mut all = db.prepare("SELECT * FROM written WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = all.query([seq])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, act): (String, String) = (row.get("tab")?, row.get("act")?);
        let Some(table) = tables.iter().find(|table| table.name == name) else { continue };
        let read = |side: &str| -> rusqlite::Result<Vec<Value>> {
            (0..table.columns.len()).map(|at| row.get(format!("{side}{at}").as_str())).collect()
        };
        changes.extend(table.change(&act, read("old")?, read("new")?, &mut statements));
    }
    Ok((changes, statements))
}

impl Table {
    fn trigger(&self, act: &str) -> String {
        let side = |name: &str| {
            let seen = (name == "old" && act != "INSERT") || (name == "new" && act != "DELETE");
            let columns = self.columns.iter().enumerate().filter(move |_| seen);
            let name = name.to_owned();
            columns.map(move |(at, column)| (format!("{name}{at}"), format!("{name}.{column}")))
        };
        let (names, values): (Vec<_>, Vec<_>) = side("old").chain(side("new")).unzip();
        let table = &self.name;
        format!(
            "CREATE TRIGGER written_{act}_{table} AFTER {act} ON {table} BEGIN
               INSERT INTO written (tab, act, {}) VALUES ('{table}', '{act}', {});
             END;",
            names.join(", "),
            values.join(", ")
        )
    }

    fn change(
        &self,
        act: &str,
        old: Vec<Value>,
        new: Vec<Value>,
        statements: &mut Statements,
    ) -> Option<Change> {
        let key = || self.columns.iter().zip(&self.key).filter(|(_, key)| **key).map(|(name, _)| name);
        let wheres = |from: usize| {
            let tests = key().enumerate().map(|(at, name)| format!("{name} = ?{}", from + at));
            tests.collect::<Vec<_>>().join(" AND ")
        };
        let keys = self.key.iter().zip(&old).filter(|(key, _)| **key).map(|(_, value)| value.clone());
        match act {
            "INSERT" => {
                let places: Vec<String> = (1..=new.len()).map(|at| format!("?{at}")).collect();
                let (columns, places) = (self.columns.join(", "), places.join(", "));
                // A row may stand where a store has put another one before.
                let sql = format!("INSERT OR REPLACE INTO {} ({columns}) VALUES ({places})", self.name);
                Some(Change { sql: statements.number(sql), values: new })
            }
            "DELETE" => {
                let sql = format!("DELETE FROM {} WHERE {}", self.name, wheres(1));
                Some(Change { sql: statements.number(sql), values: keys.collect() })
            }
            // Only what has changed is set, so that no index is touched without need.
            "UPDATE" => {
                let changed = self.columns.iter().zip(new).zip(&old).filter(|((_, new), old)| new != *old);
                let (names, mut values): (Vec<_>, Vec<_>) = changed.map(|(change, _)| change).unzip();
                let sets: Vec<String> =
                    (1..).zip(&names).map(|(at, name)| format!("{name} = ?{at}")).collect();
                let (sets, wheres) = (sets.join(", "), wheres(names.len() + 1));
                values.extend(keys);
                let sql = format!("UPDATE {} SET {sets} WHERE {wheres}", self.name);
                (!names.is_empty()).then(|| Change { sql: statements.number(sql), values })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "CREATE TABLE a (id INTEGER PRIMARY KEY, one TEXT, two BLOB);
        CREATE TABLE b (x TEXT, y INTEGER, z INTEGER, PRIMARY KEY (x, y)) WITHOUT ROWID;";
    const WORK: &str = "INSERT INTO a VALUES (1, 'x', x'00'), (2, 'y', NULL); INSERT INTO b VALUES ('k', 1, 1);
        UPDATE a SET one = 'z' WHERE id = 1; INSERT OR REPLACE INTO b VALUES ('k', 1, 2); DELETE FROM a WHERE id = 2;";

    fn content(db: &Connection) -> Vec<String> {
        let sql = "SELECT id || one || hex(two) FROM a UNION ALL SELECT x || y || z FROM b";
        let mut all = db.prepare(sql).unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn the_changes_done_again_give_the_same_rows() {
        let (from, to) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        from.execute_batch(TABLES).unwrap();
        to.execute_batch(TABLES).unwrap();
        let tables = tables(&from).unwrap();
        watch(&from, &tables).unwrap();
        from.execute_batch(WORK).unwrap();
        let (changes, statements) = changes(&from, &tables, 0).unwrap();
        assert_eq!(changes.len(), 6);
        for change in &changes {
            let values = rusqlite::params_from_iter(&change.values);
            assert_eq!(to.execute(&statements.texts[change.sql], values).unwrap(), 1);
        }
        assert_eq!(content(&to), ["1z00", "k12"]);
        assert!(statements.texts.contains(&"UPDATE a SET one = ?1 WHERE id = ?2".to_owned()));
    }
}
