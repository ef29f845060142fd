//! From changes of single rows to statements that do many of them at once.

use super::column::Column;
use crate::fault::Fault;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A row as JSON.
pub(super) type Row = Map<String, Value>;

/// The columns of a table: name, type, and whether it is part of the key.
pub(super) type Table = Vec<(String, String, bool)>;

/// One change of one row.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) table: String,
    pub(super) old: Option<Row>,
    pub(super) new: Option<Row>,
}

/// A statement with what is bound to it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) sql: String,
    pub(super) columns: Vec<Column>,
}

/// Statements that do a transaction's changes: those of one table and kind together, as long as no row comes twice.
pub(super) fn bound(changes: &[Change], tables: &BTreeMap<String, Table>) -> Result<Vec<Bound>, Fault> {
    let (mut done, mut open, mut touched) = (Vec::new(), Wave::default(), BTreeSet::new());
    for change in changes {
        let table = tables.get(&change.table).ok_or_else(|| Fault::void("a table has no columns"))?;
        let row = change.old.as_ref().or(change.new.as_ref());
        let key: Vec<String> = table
            .iter()
            .filter(|(_, _, is_key)| *is_key)
            .map(|(name, ..)| row.and_then(|row| row.get(name)).map(Value::to_string).unwrap_or_default())
            .collect();
        if !touched.insert((change.table.clone(), key.clone())) {
            done.extend(std::mem::take(&mut open).0);
            touched = [(change.table.clone(), key)].into();
        }
        open.add(change, table)?;
    }
    done.extend(open.0);
    Ok(done)
}

/// Statements of which no two touch the same row.
#[derive(Default)]
struct Wave(Vec<Bound>);

impl Wave {
    fn add(&mut self, change: &Change, table: &Table) -> Result<(), Fault> {
        let Change { table: name, old, new } = change;
        let (sql, columns, row): (String, Vec<&(String, String, bool)>, &Row) = match (old, new) {
            (None, Some(new)) => (insert(name, table), table.iter().collect(), new),
            (Some(old), None) => {
                let key: Vec<_> = table.iter().filter(|column| column.2).collect();
                (delete(name, &key), key, old)
            }
            // Only what has changed is set, so that no index is touched without need.
            (Some(old), Some(new)) => {
                let key = table.iter().filter(|column| column.2);
                let changed: Vec<_> =
                    table.iter().filter(|(name, ..)| old.get(name) != new.get(name)).collect();
                if changed.is_empty() {
                    return Ok(());
                }
                let all: Vec<_> = key.chain(changed.iter().copied()).collect();
                (update(name, &all, &changed), all, new)
            }
            (None, None) => return Ok(()),
        };
        let known = self.0.iter().position(|bound| bound.sql == sql);
        let place = match known {
            Some(place) => place,
            None => {
                let empty = columns.iter().map(|(_, kind, _)| Column::of(kind)).collect::<Result<_, _>>()?;
                self.0.push(Bound { sql, columns: empty });
                self.0.len() - 1
            }
        };
        for (column, (name, ..)) in self.0[place].columns.iter_mut().zip(columns) {
            column.push(row.get(name).unwrap_or(&Value::Null));
        }
        Ok(())
    }
}

fn names<'a>(columns: impl IntoIterator<Item = &'a (String, String, bool)>) -> String {
    columns.into_iter().map(|(name, ..)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn arrays<'a>(columns: impl IntoIterator<Item = &'a (String, String, bool)>) -> String {
    let arrays = (1..).zip(columns).map(|(at, (_, kind, _))| format!("${at}::{kind}[]"));
    arrays.collect::<Vec<_>>().join(", ")
}

fn insert(table: &str, columns: &Table) -> String {
    let (names, arrays) = (names(columns), arrays(columns));
    format!("INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({arrays})")
}

/// That rows of a table and of the arrays have the same key.
fn same(table: &str, key: &[&(String, String, bool)]) -> String {
    let same = key
        .iter()
        .filter(|column| column.2)
        .map(|(name, ..)| format!("{table}.\"{name}\" = given.\"{name}\""));
    same.collect::<Vec<_>>().join(" AND ")
}

fn delete(table: &str, key: &[&(String, String, bool)]) -> String {
    let (arrays, names) = (arrays(key.iter().copied()), names(key.iter().copied()));
    format!("DELETE FROM {table} USING unnest({arrays}) AS given ({names}) WHERE {}", same(table, key))
}

fn update(table: &str, all: &[&(String, String, bool)], changed: &[&(String, String, bool)]) -> String {
    let sets = changed.iter().map(|(name, ..)| format!("\"{name}\" = given.\"{name}\"")).collect::<Vec<_>>();
    let (sets, arrays, names) = (sets.join(", "), arrays(all.iter().copied()), names(all.iter().copied()));
    format!("UPDATE {table} SET {sets} FROM unnest({arrays}) AS given ({names}) WHERE {}", same(table, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: i64, text: &str) -> Row {
        [("id".to_owned(), key.into()), ("name".to_owned(), text.into())].into_iter().collect()
    }

    #[test]
    fn changes_of_one_kind_are_one_statement_until_a_row_comes_again() {
        let columns =
            vec![("id".to_owned(), "bigint".to_owned(), true), ("name".to_owned(), "text".to_owned(), false)];
        let tables = [("thing".to_owned(), columns)].into();
        let change = |old: Option<Row>, new: Option<Row>| Change { table: "thing".to_owned(), old, new };
        let changes = [
            change(None, Some(row(1, "a"))),
            change(None, Some(row(2, "b"))),
            change(Some(row(1, "a")), Some(row(1, "c"))),
            change(Some(row(2, "b")), None),
        ];
        let bound = bound(&changes, &tables).unwrap();
        let texts: Vec<&str> = bound.iter().map(|bound| bound.sql.as_str()).collect();
        assert_eq!(
            texts,
            [
                "INSERT INTO thing (\"id\", \"name\") OVERRIDING SYSTEM VALUE SELECT * FROM unnest($1::bigint[], $2::text[])",
                "UPDATE thing SET \"name\" = given.\"name\" FROM unnest($1::bigint[], $2::text[]) AS given (\"id\", \"name\") \
                 WHERE thing.\"id\" = given.\"id\"",
                "DELETE FROM thing USING unnest($1::bigint[]) AS given (\"id\") WHERE thing.\"id\" = given.\"id\"",
            ]
        );
        assert!(matches!(&bound[0].columns[0], Column::Big(all) if all == &[Some(1), Some(2)]));
    }
}
