//! What the store's server does for a run: its processor time, and what it writes ahead.

use super::Sample;
use crate::{fault::Fault, meter::used_by_all};
use oms_postgres::tokio_postgres::{Client, Config, NoTls};
use oms_servers::Server;
use std::time::Duration;

/// Bytes written ahead since the server was made.
const WRITTEN: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";

/// What a server has done since it was started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    used: Duration,
    wal: u64,
}

impl Outside {
    pub(super) async fn of(server: &Server) -> Result<Self, Fault> {
        Ok(Self { wal: number(&server.url(), WRITTEN).await?, used: used_by_all(server.data()) })
    }

    /// The sample with what the server did since.
    pub(super) async fn until_now(self, server: &Server, sample: Sample) -> Result<Sample, Fault> {
        let used = used_by_all(server.data()).saturating_sub(self.used);
        let wal = number(&server.url(), WRITTEN).await?.saturating_sub(self.wal);
        Ok(Sample { server: Some(used), wal, ..sample })
    }
}

/// A connection to a PostgreSQL, to this database of it or to the one that the URL names.
///
/// # Errors
/// [`Fault::Measured`].
pub async fn client(url: &str, database: Option<&str>) -> Result<Client, Fault> {
    let mut config: Config = url.parse().map_err(Fault::measured)?;
    if let Some(database) = database {
        config.dbname(database);
    }
    let (client, connection) = config.connect(NoTls).await.map_err(Fault::measured)?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks a PostgreSQL for one number.
///
/// # Errors
/// [`Fault::Measured`].
pub async fn number(url: &str, sql: &str) -> Result<u64, Fault> {
    let row = client(url, None).await?.query_one(sql, &[]).await.map_err(Fault::measured)?;
    row.try_get::<_, i64>(0).map(i64::unsigned_abs).map_err(Fault::measured)
}
