//! Recording: a house runs over a schema that writes down its own changes.

use super::change::{Change, Table};
use crate::{
    fault::Fault,
    house::{House, Keep, Plan, in_schema},
    load::{Load, client, fill, place, with_runtime},
};
use oms_postgres::tokio_postgres::{Client, Row};
use std::collections::BTreeMap;

/// The schema of the recorded house.
pub(super) const SCHEMA: &str = "recorded";
/// The database as it was before the recorded run.
pub(super) const BASE: &str = "recorded_base";

/// Every change of a row is written down, in the order in which rows were changed. Owners of leases change with the clock, not with
/// orders.
const WATCH: &str = "CREATE TABLE written (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tab text, was text, became text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO recorded.written (tab, was, became) VALUES (TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW)::text END);
      RETURN NULL;
    END $$;
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'recorded' AND tablename NOT IN ('written', 'owner', 'lease') LOOP
        EXECUTE format('CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION note()', name);
      END LOOP;
    END $$";

const COLUMNS: &str = "SELECT relname::text, attname::text, format_type(atttypid, NULL),
        coalesce(attnum = ANY (indkey::smallint[]), false) FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
    WHERE relnamespace = 'recorded'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum";

/// The rows of a run, and the server that has the database as it was before them.
pub struct PostgresRecording {
    pub(super) url: String,
    pub(super) changes: Vec<Change>,
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) orders: u64,
}

/// Records the rows of `load` on the server of a URL.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn record_on(url: &str, load: &Load) -> Result<PostgresRecording, Fault> {
    let plan = Plan { times: false, ..Plan::over(Keep::Postgres(in_schema(url, SCHEMA))) };
    with_runtime("the run before the recording", fill(&plan, load.basket, 0..load.warm, load.window))?;
    // Nobody is connected to it any more: its runtime has ended.
    with_runtime("a copy of the database", async {
        let sql = format!("CREATE DATABASE {BASE} TEMPLATE postgres");
        copied(&client(url, Some("template1")).await?, &sql).await
    })?;
    with_runtime("the recorded run", async {
        let client = client(url, None).await?;
        let watch = format!("SET search_path = {SCHEMA}; {WATCH}");
        client.batch_execute(&watch).await.map_err(Fault::measured)?;
        let house = House::open(&plan).await?;
        place(&house, load.basket, load.warm..load.warm + load.orders, load.window).await?;
        house.rest(0).await?;
        house.close().await;
        let (changes, tables) = (changes(&client).await?, tables(&client).await?);
        Ok(PostgresRecording { url: url.to_owned(), changes, tables, orders: load.orders as u64 })
    })
}

/// Copies a database; whoever was connected to it may take a moment to go.
pub(super) async fn copied(client: &Client, sql: &str) -> Result<(), Fault> {
    let mut tries = 0;
    while let Err(error) = client.batch_execute(sql).await {
        tries += 1;
        if tries == 50 {
            return Err(Fault::measured(error));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn changes(client: &Client) -> Result<Vec<Change>, Fault> {
    let rows = client.query("SELECT tab, was, became FROM written ORDER BY seq", &[]).await;
    let json = |text: Option<&str>| text.map(serde_json::from_str).transpose().map_err(Fault::measured);
    let change = |row: &Row| Ok(Change { table: row.get(0), old: json(row.get(1))?, new: json(row.get(2))? });
    rows.map_err(Fault::measured)?.iter().map(change).collect()
}

async fn tables(client: &Client) -> Result<BTreeMap<String, Table>, Fault> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in client.query(COLUMNS, &[]).await.map_err(Fault::measured)? {
        tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2), row.get(3)));
    }
    Ok(tables)
}
