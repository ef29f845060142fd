//! Writing recorded rows again.

use super::{
    change::{Bound, bound},
    column::Column,
    record::{BASE, PostgresRecording, SCHEMA, copied},
};
use crate::{
    fault::Fault,
    load::{Sample, client, with_runtime},
    meter::{Stopwatch, pressure},
};
use futures::{
    future::{join_all, join3},
    stream::{self, StreamExt, TryStreamExt},
};
use oms_postgres::tokio_postgres::{Client, Error, Statement};
use std::collections::BTreeMap;

/// The database that is written into.
const COPY: &str = "recorded_copy";

/// How many transactions are on their way at a time: the server is never left waiting for the next.
const AHEAD: usize = 4;

/// What a connection of the store has too, as far as it writes.
const SETTINGS: &str =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off; SET enable_material = off; SET jit = off";

/// A transaction that is ready: its statements and what is bound to them.
type Ready<'a> = Vec<(Statement, &'a Bound)>;

impl PostgresRecording {
    /// Writes the rows again, in about `commits_each` transactions for each order, into a copy of the database they came from.
    ///
    /// # Errors
    /// [`Fault`], by what failed.
    pub fn write(&self, commits_each: f64) -> Result<Sample, Fault> {
        let commits = (commits_each * self.orders as f64).round().max(1.0) as usize;
        let size = self.changes.len().div_ceil(commits).max(1);
        let bounds = self.changes.chunks(size).map(|chunk| bound(chunk, &self.tables));
        let transactions: Vec<Vec<Bound>> = bounds.collect::<Result<_, _>>()?;
        with_runtime("the floor", async {
            let sql = format!("CREATE DATABASE {COPY} TEMPLATE {BASE}");
            let around = client(&self.url, Some("template1")).await?;
            copied(&around, &sql).await?;
            let client = client(&self.url, Some(COPY)).await?;
            let settings = format!("SET search_path = {SCHEMA}; {SETTINGS}");
            client.batch_execute(&settings).await.map_err(Fault::measured)?;
            let sample = self.written(&client, &transactions).await?;
            drop(client);
            copied(&around, &format!("DROP DATABASE {COPY}")).await?;
            Ok(sample)
        })
    }

    async fn written<'a>(&self, client: &Client, transactions: &'a [Vec<Bound>]) -> Result<Sample, Fault> {
        let mut statements: BTreeMap<&str, Statement> = BTreeMap::new();
        for bound in transactions.iter().flatten() {
            if !statements.contains_key(&*bound.sql) {
                let statement = client.prepare(&bound.sql).await.map_err(Fault::measured)?;
                statements.insert(&bound.sql, statement);
            }
        }
        let of = |bound: &'a Bound| Some((statements.get(&*bound.sql)?.clone(), bound));
        let ready: Vec<Ready<'_>> =
            transactions.iter().map(|bounds| bounds.iter().filter_map(of).collect()).collect();
        let watch = Stopwatch::start();
        let rows = stream::iter(&ready)
            .map(|one| transaction(client, one))
            .buffered(AHEAD)
            .try_fold(0, |sum, rows| async move { Ok(sum + rows) })
            .await
            .map_err(Fault::measured)?;
        let (times, commits) = (watch.read(), ready.len() as u64);
        Ok(Sample { orders: self.orders, times, rows, commits, pressure: pressure(), ..Sample::default() })
    }
}

/// One transaction in one round trip; gives its rows.
async fn transaction(client: &Client, bounds: &Ready<'_>) -> Result<u64, Error> {
    let done = bounds.iter().map(|(statement, bound)| async move {
        let params: Vec<_> = bound.columns.iter().map(Column::param).collect();
        client.execute(statement, &params).await
    });
    let (begun, done, ended) =
        join3(client.batch_execute("BEGIN"), join_all(done), client.batch_execute("COMMIT")).await;
    begun?;
    let rows = done.into_iter().sum::<Result<u64, Error>>()?;
    ended?;
    Ok(rows)
}
