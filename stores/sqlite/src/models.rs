//! Read models in the store's own file: their rows and cursors are as durable as the events they were read from.

use crate::{
    present::After,
    rows::{all, blob, cap, execute, int, name, one, uint},
    store::SqliteStore,
};
use async_trait::async_trait;
use oms_core::{
    id::Name,
    message::GroupLane,
    projection::model::{
        By, Checkpoint, Generation, MARKS, Marks, ReadModels, Row, Save, Scan, Stage, Standing,
    },
    store::StoreError,
};
use rusqlite::{Connection, params, params_from_iter, types::Value};

/// How many keys are looked up by one statement.
const KEYS: usize = 100;

fn stage(number: i64) -> Stage {
    match number {
        0 => Stage::Building,
        1 => Stage::Live,
        _ => Stage::Gone,
    }
}

/// The row of a generation that is not gone.
fn standing(db: &Connection, generation: &Generation) -> Result<Option<(i64, u64)>, StoreError> {
    let sql = "SELECT id, saves FROM generation WHERE model = ?1 AND number = ?2 AND stage <> 2";
    let of = params![&*generation.model, int(generation.number)];
    one(db, sql, of, |row| Ok((row.get(0)?, uint(row.get(1)?))))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let mut marks = Marks::default();
    for (place, mark) in marks.iter_mut().enumerate() {
        *mark = row.get_ref(place + 2)?.as_str_or_null()?.map(Name::from);
    }
    Ok(Row { key: name(row, 0)?, body: blob(row, 1)?, marks })
}

fn rows(db: &Connection, generation: i64, keys: &[Name]) -> Result<Vec<Option<Row>>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(KEYS) {
        // Always as many places, so that one statement is prepared for all; a missing key is looked for as none.
        let places = vec!["?"; KEYS].join(",");
        let sql = format!(
            "SELECT key, body, mark0, mark1, mark2 FROM model_row WHERE generation = ? AND key IN ({places})"
        );
        let mut values = vec![Value::Integer(generation)];
        values.extend((0..KEYS).map(|place| match keys.get(place) {
            Some(key) => Value::Text(key.to_string()),
            None => Value::Null,
        }));
        let mut some: Vec<Row> = all(db, &sql, params_from_iter(values), read)?;
        some.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let of = |key: &Name| {
            let place = some.binary_search_by(|row| row.key.cmp(key)).ok()?;
            some.get(place).cloned()
        };
        found.extend(keys.iter().map(of));
    }
    Ok(found)
}

fn scan(
    db: &Connection,
    generation: i64,
    by: By,
    (prefix, after): (&str, Option<&str>),
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let column = match by {
        By::Key => "key",
        By::Mark(0) => "mark0",
        By::Mark(1) => "mark1",
        By::Mark(2) => "mark2",
        By::Mark(_) => return Ok(Vec::new()),
    };
    // Nothing that begins with the prefix is greater than this.
    let end = format!("{prefix}{}", char::MAX);
    let (compared, from) = match after.filter(|after| *after >= prefix) {
        Some(after) => (">", after),
        None => (">=", prefix),
    };
    let sql = format!(
        "SELECT key, body, mark0, mark1, mark2 FROM model_row
        WHERE generation = ?1 AND {column} {compared} ?2 AND {column} < ?3 ORDER BY {column} LIMIT ?4"
    );
    all(db, &sql, params![generation, from, end, limit], read)
}

fn save(db: &Connection, generation: &Generation, saves: u64, save: &Save) -> Result<(), StoreError> {
    let Some((id, _)) = standing(db, generation)?.filter(|(_, known)| *known == saves) else {
        return Err(StoreError::Conflict);
    };
    execute(db, "UPDATE generation SET saves = saves + 1 WHERE id = ?1", params![id])?;
    for key in &save.gone {
        execute(db, "DELETE FROM model_row WHERE generation = ?1 AND key = ?2", params![id, &**key])?;
    }
    let put =
        "INSERT INTO model_row (generation, key, body, mark0, mark1, mark2) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT DO UPDATE SET body = excluded.body, mark0 = excluded.mark0, mark1 = excluded.mark1,
        mark2 = excluded.mark2";
    for Row { key, marks, body } in &save.rows {
        let [first, second, third]: [Option<&str>; MARKS] = [0, 1, 2].map(|place| marks[place].as_deref());
        execute(db, put, params![id, &**key, &**body, first, second, third])?;
    }
    let move_on = "INSERT INTO model_cursor (generation, grp, lane, position) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET position = excluded.position";
    for (lane, position) in &save.cursors {
        execute(db, move_on, params![id, &*lane.group, lane.lane, int(*position)])?;
    }
    Ok(())
}

fn begin(db: &Connection, model: &str, shape: u32) -> Result<u64, StoreError> {
    let known = "SELECT number FROM generation WHERE model = ?1 AND stage = 0 AND shape = ?2";
    if let Some(number) = one(db, known, params![model, shape], |row| row.get(0).map(uint))? {
        return Ok(number);
    }
    execute(db, "UPDATE generation SET stage = 2 WHERE model = ?1 AND stage = 0", params![model])?;
    // Kept apart from the generations, so that no number is given twice when the newest is gone.
    let count = "INSERT INTO meta VALUES ('generation', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value";
    let number = one(db, count, [], |row| row.get(0).map(uint))?.unwrap_or(1);
    let sql = "INSERT INTO generation (model, number, stage, shape, saves) VALUES (?1, ?2, 0, ?3, 0)";
    execute(db, sql, params![model, int(number), shape])?;
    Ok(number)
}

fn publish(db: &Connection, generation: &Generation) -> Result<(), StoreError> {
    let (id, _) = standing(db, generation)?.ok_or(StoreError::Conflict)?;
    let sql = "UPDATE generation SET stage = 2 WHERE model = ?1 AND stage = 1 AND id <> ?2";
    execute(db, sql, params![&*generation.model, id])?;
    execute(db, "UPDATE generation SET stage = 1 WHERE id = ?1", params![id])?;
    Ok(())
}

fn discard(db: &Connection, model: &str, limit: usize) -> Result<usize, StoreError> {
    let gone = "SELECT id FROM generation WHERE model = ?1 AND stage = 2 LIMIT 1";
    while let Some(id) = one(db, gone, params![model], |row| row.get::<_, i64>(0))? {
        let sql =
            "DELETE FROM model_row WHERE id IN (SELECT id FROM model_row WHERE generation = ?1 LIMIT ?2)";
        let removed = execute(db, sql, params![id, cap(limit)])?;
        if removed > 0 {
            return Ok(removed);
        }
        execute(db, "DELETE FROM model_cursor WHERE generation = ?1", params![id])?;
        execute(db, "DELETE FROM generation WHERE id = ?1", params![id])?;
    }
    Ok(0)
}

impl SqliteStore {
    /// Runs `act` in a commit, alone or with turns.
    async fn put<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.writer.write(false, Vec::new(), move |db| Ok((act(db)?, After::default()))).await
    }
}

#[async_trait]
impl ReadModels for SqliteStore {
    async fn generations(&self, model: &str) -> Result<Vec<Standing>, StoreError> {
        let model = model.to_owned();
        let sql = "SELECT number, stage, shape, saves FROM generation WHERE model = ?1 ORDER BY number";
        let read = |row: &rusqlite::Row<'_>| {
            let (number, stage) = (uint(row.get(0)?), stage(row.get(1)?));
            Ok(Standing { number, stage, shape: row.get(2)?, saves: uint(row.get(3)?) })
        };
        self.0.desk.read(move |db| all(db, sql, params![model], read)).await
    }

    async fn begin(&self, model: &str, shape: u32) -> Result<Generation, StoreError> {
        let wanted = model.to_owned();
        let number = self.put(move |db| begin(db, &wanted, shape)).await?;
        Ok(Generation { model: Name::from(model), number })
    }

    async fn publish(&self, generation: &Generation) -> Result<(), StoreError> {
        let generation = generation.clone();
        self.put(move |db| publish(db, &generation)).await
    }

    async fn abandon(&self, generation: &Generation) -> Result<(), StoreError> {
        let generation = generation.clone();
        let act = move |db: &Connection| {
            let sql = "UPDATE generation SET stage = 2 WHERE model = ?1 AND number = ?2 AND stage = 0";
            execute(db, sql, params![&*generation.model, int(generation.number)]).map(|_| ())
        };
        self.put(act).await
    }

    async fn discard(&self, model: &str, limit: usize) -> Result<usize, StoreError> {
        let model = model.to_owned();
        self.put(move |db| discard(db, &model, limit)).await
    }

    async fn checkpoint(&self, generation: &Generation) -> Result<Checkpoint, StoreError> {
        let generation = generation.clone();
        let look = move |db: &Connection| {
            let (id, saves) = standing(db, &generation)?.ok_or(StoreError::Conflict)?;
            let sql = "SELECT grp, lane, position FROM model_cursor WHERE generation = ?1 ORDER BY grp, lane";
            let read = |row: &rusqlite::Row<'_>| {
                Ok((GroupLane { group: name(row, 0)?, lane: row.get(1)? }, uint(row.get(2)?)))
            };
            Ok(Checkpoint { saves, cursors: all(db, sql, params![id], read)? })
        };
        self.0.desk.read(look).await
    }

    async fn rows(&self, generation: &Generation, keys: &[Name]) -> Result<Vec<Option<Row>>, StoreError> {
        let (generation, keys) = (generation.clone(), keys.to_vec());
        let look = move |db: &Connection| match standing(db, &generation)? {
            Some((id, _)) => rows(db, id, &keys),
            None => Ok(vec![None; keys.len()]),
        };
        self.0.desk.read(look).await
    }

    async fn scan(&self, generation: &Generation, wanted: Scan<'_>) -> Result<Vec<Row>, StoreError> {
        let generation = generation.clone();
        let (prefix, after) = (wanted.prefix.to_owned(), wanted.after.map(str::to_owned));
        let (by, limit) = (wanted.by, cap(wanted.limit));
        let look = move |db: &Connection| match standing(db, &generation)? {
            Some((id, _)) => scan(db, id, by, (&prefix, after.as_deref()), limit),
            None => Ok(Vec::new()),
        };
        self.0.desk.read(look).await
    }

    async fn save(&self, generation: &Generation, saves: u64, what: Save) -> Result<(), StoreError> {
        let generation = generation.clone();
        self.put(move |db| save(db, &generation, saves, &what)).await
    }
}
