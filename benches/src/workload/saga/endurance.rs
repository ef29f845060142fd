//! PostgreSQL at full speed for minutes on end: what a million orders in the tables, and what autovacuum leaves, cost the next one.

use super::{
    Scale,
    name::{SERVERS, WORKLOAD},
};
use crate::{
    fault::Fault,
    house::{Basket, House, Keep, Plan, postgres},
    load::{Sample, Series, closed, with_time},
    meter::{Stopwatch, pressure, used_by_all},
    progress::Progress,
    report::{Bound, Report, Row, Target},
    workload::Figure,
};
use oms_postgres::tokio_postgres::{NoTls, connect};
use oms_servers::Server;
use std::{path::Path, time::Duration};

/// The longest it may take.
const LIMIT: Duration = Duration::from_secs(1_200);
/// The last part beside the first.
const WANTED: f64 = 0.9;
/// Orders in the tables by then.
const MANY: u64 = 1_000_000;

/// Runs full load in parts that follow each other in one schema, without a pause that vacuum could use.
pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let server = postgres(Path::new(SERVERS))?;
    let keep = Keep::Postgres(server.url());
    let parts = if scale.is_quick { 3 } else { 12 };
    let most = if scale.is_quick { scale.most } else { Duration::from_secs(60) };
    let progress = Progress::new("endurance", parts);
    let work = endured(scale, &server, &keep, (parts, most), &progress);
    let samples = with_time("endurance", LIMIT, work)?;
    let one =
        |at: usize, sample: &Sample| Series { name: format!("part {at}"), samples: vec![sample.clone()] };
    let first = samples.first().ok_or_else(|| Fault::void("nothing was measured"))?;
    let mut before = 0;
    for (at, sample) in (1..).zip(&samples) {
        let variant = format!("endurance, part {at}, {before} orders before it");
        let (series, peer) = (one(at, sample), one(1, first));
        let row = Figure::OrdersPerSecond.beside(WORKLOAD, &variant, &keep, &series, &peer);
        // The first million is what is asked about, and the end, whatever there is by then.
        let asked = at == samples.len() || (before..before + sample.orders).contains(&MANY);
        let target = row.ratio.filter(|_| asked && at > 1);
        let target =
            target.map(|ratio| Target::new(ratio, Bound::AtLeast(WANTED), "of the speed of the first part"));
        report.add(row.held_against(target));
        before += sample.orders;
    }
    report.add(size(&server, &keep, before)?);
    Ok(())
}

async fn endured(
    scale: &Scale,
    server: &Server,
    keep: &Keep,
    (parts, most): (u64, Duration),
    progress: &Progress,
) -> Result<Vec<Sample>, Fault> {
    let house = House::open(&Plan { times: false, ..Plan::over(keep.clone()) }).await?;
    house.stock().await?;
    let mut next = closed(&house, Basket::Plain, 0..scale.window, scale.window, scale.most).await?;
    let mut samples = Vec::new();
    for _ in 0..parts {
        let (watch, used) = (Stopwatch::start(), used_by_all(server.data()));
        let orders = closed(&house, Basket::Plain, next..usize::MAX, scale.window, most).await?;
        next += orders;
        samples.push(Sample {
            orders: orders as u64,
            times: watch.read(),
            server: Some(used_by_all(server.data()).saturating_sub(used)),
            pressure: pressure(),
            ..Sample::default()
        });
        progress.step();
    }
    house.rest(0).await?;
    house.close().await;
    Ok(samples)
}

/// What all of it takes on the disk, for an order.
fn size(server: &Server, keep: &Keep, orders: u64) -> Result<Row, Fault> {
    let bytes = with_time("asking for the size", LIMIT, async {
        let (client, connection) = connect(&server.url(), NoTls).await.map_err(Fault::measured)?;
        tokio::spawn(connection);
        let sql = "SELECT pg_database_size(current_database())";
        let row = client.query_one(sql, &[]).await.map_err(Fault::measured)?;
        row.try_get::<_, i64>(0).map_err(Fault::measured)
    })?;
    let value = bytes as f64 / orders as f64;
    Ok(Row {
        workload: WORKLOAD,
        variant: "endurance, on the disk in the end".to_owned(),
        broker: "memory",
        store: keep.store(),
        durability: keep.durability(),
        value,
        best: value,
        unit: "bytes/order",
        rounds: 1,
        ..Row::default()
    })
}
