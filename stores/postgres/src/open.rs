//! Opening a database: the schema is made or checked by one process at a time.

use crate::{
    error::{OpenError, sort},
    link::Link,
    options::Options,
    shared::Shared,
    store::PostgresStore,
};
use std::sync::Arc;
use tokio_postgres::Client;

const SCHEMA: i32 = 1;

/// Holds everybody else who would make or change a schema.
const MIGRATING: i64 = 0x6f6d_7370;

/// The oldest server whose words we use.
const OLDEST: i32 = 130_000;

impl Options {
    /// Connects, and makes the schema if it is not there. Needs a Tokio runtime, on which its tasks live.
    ///
    /// Dropped half-way, the schema is there or not.
    ///
    /// # Errors
    /// [`OpenError`]; the database is then as it was.
    pub async fn open(self) -> Result<PostgresStore, OpenError> {
        let link = Link::new(&self)?;
        let mut client = link.first().await?;
        let gone = || OpenError::Unreachable("the connection is gone".to_owned());
        prepare(client.whole().ok_or_else(gone)?, &self.schema).await?;
        drop(client);
        let shared = Shared::start(link).await.map_err(|error| OpenError::Other(error.to_string()))?;
        Ok(PostgresStore(Arc::new(shared)))
    }
}

/// Opens what a URL names; see [`Options::from_url`] and [`Options::open`].
///
/// # Errors
/// As those two.
pub async fn open(url: &str) -> Result<PostgresStore, OpenError> {
    Options::from_url(url)?.open().await
}

async fn prepare(client: &mut Client, schema: &str) -> Result<(), OpenError> {
    let said = |error| sort(&error);
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
            &[],
        )
        .await
        .map_err(said)?;
    if row.get::<_, i32>(0) < OLDEST {
        return Err(OpenError::Old(row.get(1)));
    }
    let transaction = client.transaction().await.map_err(said)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATING]).await.map_err(said)?;
    let sql = "SELECT to_regclass($1 || '.meta') IS NOT NULL, EXISTS (SELECT FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1)";
    let row = transaction.query_one(sql, &[&schema]).await.map_err(said)?;
    match (row.get(0), row.get(1)) {
        (true, _) => {
            let found = transaction.query_opt("SELECT schema FROM meta", &[]).await.map_err(said)?;
            let found: i32 = found.ok_or_else(|| OpenError::Foreign(schema.to_owned()))?.get(0);
            if found > SCHEMA {
                return Err(OpenError::Newer { schema: schema.to_owned(), found, known: SCHEMA });
            }
        }
        (false, true) => return Err(OpenError::Foreign(schema.to_owned())),
        (false, false) => {
            transaction
                .batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""))
                .await
                .map_err(said)?;
            transaction.batch_execute(include_str!("schema.sql")).await.map_err(said)?;
            transaction.batch_execute(include_str!("writes.sql")).await.map_err(said)?;
            let first = "INSERT INTO meta (schema, lanes, revision) VALUES ($1, 0, 0)";
            transaction.execute(first, &[&SCHEMA]).await.map_err(said)?;
        }
    }
    transaction.commit().await.map_err(said)
}
