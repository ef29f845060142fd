//! PostgreSQL at full speed for minutes on end: what a million orders in the tables, and what autovacuum leaves, cost the next one.

use super::{
    Scale,
    name::{SERVERS, WORKLOAD},
};
use crate::{
    fault::Fault,
    house::{Basket, House, Keep, Plan, postgres},
    load::{Sample, Series, closed, number, with_time},
    meter::{Stopwatch, pressure, used_by_all},
    progress::Progress,
    report::{Bound, Report, Row, Target},
    workload::Figure,
};
use oms_servers::Server;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// The longest it may take.
const LIMIT: Duration = Duration::from_secs(1_200);
/// The last part beside the first.
const WANTED: f64 = 0.9;

/// Orders of a lap, in windows.
const LAP: usize = 4;
/// Notices of an order.
const NOTICES: u64 = 3;

/// What the tables whose rows come and go take after each part, and everything in the end.
type Sizes = (Vec<u64>, u64);

/// Runs full load in parts that follow each other in one schema, without a pause that vacuum could use.
pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let server = postgres(Path::new(SERVERS))?;
    let keep = Keep::Postgres(server.url());
    let parts = if scale.is_quick { 3 } else { 12 };
    let most = if scale.is_quick { scale.most } else { Duration::from_secs(60) };
    let progress = Progress::new("endurance", parts);
    let work = endured(scale, &server, &keep, (parts, most), &progress);
    let (samples, sizes) = with_time("endurance", LIMIT, work)?;
    let one =
        |at: usize, sample: &Sample| Series { name: format!("part {at}"), samples: vec![sample.clone()] };
    let first = samples.first().ok_or_else(|| Fault::void("nothing was measured"))?;
    let mut before = 0;
    for (at, sample) in (1..).zip(&samples) {
        let variant = format!("endurance, part {at}, {before} orders before it");
        let (series, peer) = (one(at, sample), one(1, first));
        let row = Figure::OrdersPerSecond.beside(WORKLOAD, &variant, &keep, &series, &peer);
        // The end is what is asked about.
        let target = row.ratio.filter(|_| at == samples.len() && at > 1);
        let target =
            target.map(|ratio| Target::new(ratio, Bound::AtLeast(WANTED), "of the speed of the first part"));
        report.add(row.held_against(target));
        before += sample.orders;
    }
    let (sizes, whole) = sizes;
    for (part, bytes) in [(1, sizes.first()), (sizes.len(), sizes.last())] {
        let variant = format!("endurance, tables whose rows come and go, after part {part}");
        report.add(size(&keep, &variant, bytes.copied().unwrap_or_default() as f64 / 1e6, "MB"));
    }
    report.add(size(&keep, "endurance, on the disk in the end", whole as f64 / before as f64, "bytes/order"));
    Ok(())
}

async fn endured(
    scale: &Scale,
    server: &Server,
    keep: &Keep,
    (parts, most): (u64, Duration),
    progress: &Progress,
) -> Result<(Vec<Sample>, Sizes), Fault> {
    let house = House::open(&Plan { times: false, ..Plan::over(keep.clone()) }).await?;
    house.stock().await?;
    let mut next = closed(&house, Basket::Plain, 0..scale.window, scale.window, scale.most).await?;
    let (mut samples, mut passing) = (Vec::new(), Vec::new());
    for _ in 0..parts {
        let (watch, used) = (Stopwatch::start(), used_by_all(server.data()));
        let orders = laps(&house, next, scale.window, most).await?;
        next += orders;
        samples.push(Sample {
            orders: orders as u64,
            times: watch.read(),
            server: Some(used_by_all(server.data()).saturating_sub(used)),
            pressure: pressure(),
            ..Sample::default()
        });
        passing.push(number(&server.url(), PASSING).await?);
        progress.step();
    }
    house.rest(0).await?;
    house.close().await;
    let whole = number(&server.url(), WHOLE).await?;
    Ok((samples, (passing, whole)))
}

/// Full load for so long, lap after lap, each begun when nearly all notices of the one before it have gone out: an order ends before
/// its last notice, and they would pile up without end.
async fn laps(house: &House, first: usize, window: usize, most: Duration) -> Result<usize, Fault> {
    let (start, mut next) = (Instant::now(), first);
    while start.elapsed() < most {
        let left = most.saturating_sub(start.elapsed());
        next += closed(house, Basket::Plain, next..next + LAP * window, window, left).await?;
        while house.world.deeds().mailed + NOTICES * (window as u64) < NOTICES * (next as u64) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(next - first)
}

/// What the tables take whose rows come and go: what vacuum does not keep up with stays in them.
const PASSING: &str = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
    WHERE relkind = 'r' AND relname IN ('owed', 'effect', 'alarm', 'lane', 'lease', 'sent')";

/// What everything takes.
const WHOLE: &str = "SELECT pg_database_size(current_database())";

fn size(keep: &Keep, variant: &str, value: f64, unit: &'static str) -> Row {
    Row {
        workload: WORKLOAD,
        variant: variant.to_owned(),
        broker: "memory",
        store: keep.store(),
        durability: keep.durability(),
        value,
        best: value,
        unit,
        rounds: 1,
        ..Row::default()
    }
}
