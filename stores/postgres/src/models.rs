//! Read models beside the events they were read from.

use crate::{
    pipe::{execute, params, query, rows, run},
    rows::{Columns, cap, int},
    store::PostgresStore,
};
use async_trait::async_trait;
use oms_core::{
    id::Name,
    message::GroupLane,
    projection::model::{By, Checkpoint, Generation, Marks, ReadModels, Row, Save, Scan, Stage, Standing},
    store::StoreError,
};
use std::collections::BTreeMap;

const STANDING: &str = "SELECT id, saves FROM generation WHERE model = $1 AND number = $2 AND stage <> 2";
const HELD: &str =
    "SELECT id, saves FROM generation WHERE model = $1 AND number = $2 AND stage <> 2 FOR NO KEY UPDATE";
const GENERATIONS: &str =
    "SELECT number, stage, shape, saves FROM generation WHERE model = $1 ORDER BY number";
const ROWS: &str =
    "SELECT key, body, mark0, mark1, mark2 FROM model_row WHERE generation = $1 AND key = ANY ($2::text[])";
const PUT: &str = "INSERT INTO model_row (generation, key, body, mark0, mark1, mark2)
    SELECT $1, * FROM unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[])
    ON CONFLICT (generation, key) DO UPDATE SET body = excluded.body, mark0 = excluded.mark0, mark1 = excluded.mark1,
    mark2 = excluded.mark2";
const GONE: &str = "DELETE FROM model_row WHERE generation = $1 AND key = ANY ($2::text[])";
const MOVE_ON: &str = "INSERT INTO model_cursor (generation, grp, lane, position)
    SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::bigint[])
    ON CONFLICT (generation, grp, lane) DO UPDATE SET position = excluded.position";
const SAVED: &str = "UPDATE generation SET saves = saves + 1 WHERE id = $1";
const CURSORS: &str = "SELECT grp, lane, position FROM model_cursor WHERE generation = $1 ORDER BY grp, lane";
const DISCARD: &str =
    "DELETE FROM model_row WHERE ctid IN (SELECT ctid FROM model_row WHERE generation = $1 LIMIT $2)";

macro_rules! scan {
    ($column:literal) => {
        concat!(
            "SELECT key, body, mark0, mark1, mark2 FROM model_row WHERE generation = $1 AND ",
            $column,
            " >= $2 AND ($3 OR ",
            $column,
            " > $2) AND ",
            $column,
            " < $4 ORDER BY ",
            $column,
            " LIMIT $5"
        )
    };
}

fn stage(number: i16) -> Stage {
    match number {
        0 => Stage::Building,
        1 => Stage::Live,
        _ => Stage::Gone,
    }
}

fn row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut row = Columns::of(row);
    let (key, body) = (row.name()?, row.bytes()?);
    let mut marks = Marks::default();
    for mark in &mut marks {
        *mark = row.get::<Option<&str>>()?.map(Name::from);
    }
    Ok(Row { key, body, marks })
}

fn of(generation: &Generation) -> Vec<crate::pipe::Param> {
    params![generation.model.to_string(), int(generation.number)]
}

impl PostgresStore {
    /// The row of a generation that is not gone, and how often it was saved.
    async fn standing(&self, generation: &Generation) -> Result<Option<(i64, u64)>, StoreError> {
        let client = self.0.known.link.client().await?;
        let found = rows(&client, STANDING, of(generation)).await?;
        let read = |row| {
            let mut row = Columns::of(row);
            Ok((row.get()?, row.number()?))
        };
        found.first().map(read).transpose()
    }
}

#[async_trait]
impl ReadModels for PostgresStore {
    async fn generations(&self, model: &str) -> Result<Vec<Standing>, StoreError> {
        let client = self.0.known.link.client().await?;
        let found = rows(&client, GENERATIONS, params![model.to_owned()]).await?;
        let read = |row| {
            let mut row = Columns::of(row);
            let (number, stage) = (row.number()?, stage(row.get()?));
            let shape = u32::try_from(row.get::<i64>()?).unwrap_or(u32::MAX);
            Ok(Standing { number, stage, shape, saves: row.number()? })
        };
        found.iter().map(read).collect()
    }

    async fn begin(&self, model: &str, shape: u32) -> Result<Generation, StoreError> {
        let mut client = self.0.known.link.client().await?;
        let transaction = client.begin().await?;
        // Counted apart from the generations, so that no number is given twice when the newest is gone; and one at a time.
        let next = "UPDATE meta SET generation = generation + 1 RETURNING generation";
        let number = query(&transaction, next, params![]).await?;
        let known = "SELECT number FROM generation WHERE model = $1 AND stage = 0 AND shape = $2";
        let found = query(&transaction, known, params![model.to_owned(), i64::from(shape)]).await?;
        let model = Name::from(model);
        if let Some(row) = found.first() {
            return Ok(Generation { model, number: Columns::of(row).number()? });
        }
        let number = number.first().map(|row| Columns::of(row).get::<i64>()).transpose()?.unwrap_or(1);
        let end = "UPDATE generation SET stage = 2 WHERE model = $1 AND stage = 0";
        run(&transaction, end, params![model.to_string()]).await?;
        let new = "INSERT INTO generation (model, number, stage, shape, saves) VALUES ($1, $2, 0, $3, 0)";
        run(&transaction, new, params![model.to_string(), number, i64::from(shape)]).await?;
        transaction.commit().await?;
        Ok(Generation { model, number: number.cast_unsigned() })
    }

    async fn publish(&self, generation: &Generation) -> Result<(), StoreError> {
        let mut client = self.0.known.link.client().await?;
        let transaction = client.begin().await?;
        let held = query(&transaction, HELD, of(generation)).await?;
        let id: i64 = Columns::of(held.first().ok_or(StoreError::Conflict)?).get()?;
        let old = "UPDATE generation SET stage = 2 WHERE model = $1 AND stage = 1 AND id <> $2";
        run(&transaction, old, params![generation.model.to_string(), id]).await?;
        run(&transaction, "UPDATE generation SET stage = 1 WHERE id = $1", params![id]).await?;
        transaction.commit().await
    }

    async fn abandon(&self, generation: &Generation) -> Result<(), StoreError> {
        let sql = "UPDATE generation SET stage = 2 WHERE model = $1 AND number = $2 AND stage = 0";
        execute(&self.0.known.link.client().await?, sql, of(generation)).await.map(drop)
    }

    async fn discard(&self, model: &str, limit: usize) -> Result<usize, StoreError> {
        let client = self.0.known.link.client().await?;
        let gone = "SELECT id FROM generation WHERE model = $1 AND stage = 2 LIMIT 1";
        loop {
            let found = rows(&client, gone, params![model.to_owned()]).await?;
            let Some(row) = found.first() else { return Ok(0) };
            let id: i64 = Columns::of(row).get()?;
            let removed = execute(&client, DISCARD, params![id, cap(limit)]).await?;
            if removed > 0 {
                return Ok(usize::try_from(removed).unwrap_or(usize::MAX));
            }
            execute(&client, "DELETE FROM model_cursor WHERE generation = $1", params![id]).await?;
            execute(&client, "DELETE FROM generation WHERE id = $1", params![id]).await?;
        }
    }

    async fn checkpoint(&self, generation: &Generation) -> Result<Checkpoint, StoreError> {
        let mut client = self.0.known.link.client().await?;
        let transaction = client.look().await?;
        let standing = query(&transaction, STANDING, of(generation)).await?;
        let mut row = Columns::of(standing.first().ok_or(StoreError::Conflict)?);
        let (id, saves): (i64, u64) = (row.get()?, row.number()?);
        let found = query(&transaction, CURSORS, params![id]).await?;
        transaction.commit().await?;
        let read = |row| {
            let mut row = Columns::of(row);
            Ok((GroupLane { group: row.name()?, lane: row.small()? }, row.number()?))
        };
        Ok(Checkpoint { saves, cursors: found.iter().map(read).collect::<Result<_, StoreError>>()? })
    }

    async fn rows(&self, generation: &Generation, keys: &[Name]) -> Result<Vec<Option<Row>>, StoreError> {
        let Some((id, _)) = self.standing(generation).await? else { return Ok(vec![None; keys.len()]) };
        let wanted: Vec<String> = keys.iter().map(Name::to_string).collect();
        let client = self.0.known.link.client().await?;
        let mut found: BTreeMap<Name, Row> = BTreeMap::new();
        for one in &rows(&client, ROWS, params![id, wanted]).await? {
            let one = row(one)?;
            found.insert(one.key.clone(), one);
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn scan(&self, generation: &Generation, wanted: Scan<'_>) -> Result<Vec<Row>, StoreError> {
        let Some((id, _)) = self.standing(generation).await? else { return Ok(Vec::new()) };
        let sql = match wanted.by {
            By::Key => scan!("key"),
            By::Mark(0) => scan!("mark0"),
            By::Mark(1) => scan!("mark1"),
            By::Mark(2) => scan!("mark2"),
            By::Mark(_) => return Ok(Vec::new()),
        };
        // Nothing that begins with the prefix is greater than this.
        let end = format!("{}{}", wanted.prefix, char::MAX);
        let after = wanted.after.filter(|after| *after >= wanted.prefix);
        let (from, from_included) = (after.unwrap_or(wanted.prefix).to_owned(), after.is_none());
        let client = self.0.known.link.client().await?;
        let asked = params![id, from, from_included, end, cap(wanted.limit)];
        rows(&client, sql, asked).await?.iter().map(row).collect()
    }

    async fn save(&self, generation: &Generation, saves: u64, what: Save) -> Result<(), StoreError> {
        let mut client = self.0.known.link.client().await?;
        let transaction = client.begin().await?;
        let held = query(&transaction, HELD, of(generation)).await?;
        let mut row = Columns::of(held.first().ok_or(StoreError::Conflict)?);
        let (id, known): (i64, u64) = (row.get()?, row.number()?);
        if known != saves {
            return Err(StoreError::Conflict);
        }
        let text =
            |names: &mut dyn Iterator<Item = &Name>| names.map(Name::to_string).collect::<Vec<String>>();
        if !what.gone.is_empty() {
            run(&transaction, GONE, params![id, text(&mut what.gone.iter())]).await?;
        }
        if !what.rows.is_empty() {
            let mark = |place: usize| {
                let marks = what.rows.iter().map(|row| row.marks[place].as_ref().map(Name::to_string));
                marks.collect::<Vec<Option<String>>>()
            };
            let bodies: Vec<Vec<u8>> = what.rows.iter().map(|row| row.body.to_vec()).collect();
            let keys = text(&mut what.rows.iter().map(|row| &row.key));
            run(&transaction, PUT, params![id, keys, bodies, mark(0), mark(1), mark(2)]).await?;
        }
        if !what.cursors.is_empty() {
            let groups = text(&mut what.cursors.iter().map(|(lane, _)| &lane.group));
            let lanes: Vec<i32> = what.cursors.iter().map(|(lane, _)| i32::from(lane.lane)).collect();
            let positions: Vec<i64> = what.cursors.iter().map(|(_, position)| int(*position)).collect();
            run(&transaction, MOVE_ON, params![id, groups, lanes, positions]).await?;
        }
        run(&transaction, SAVED, params![id]).await?;
        transaction.commit().await
    }
}
