//! A million orders in PostgreSQL's tables, and what they cost the next one.

use super::{
    Scale,
    name::{SERVERS, WORKLOAD},
};
use crate::{
    fault::Fault,
    house::{Basket, Keep, Plan, in_schema, postgres},
    load::{Contender, Load, client, fill, interleave, run_over, with_time},
    progress::Progress,
    report::{Bound, Report, Target},
    workload::Figure,
};
use std::{cell::Cell, path::Path, time::Duration};

/// The schema that has them.
const SCHEMA: &str = "full";
/// Of the speed over empty tables.
const WANTED: f64 = 0.9;
/// The longest that filling may take.
const LIMIT: Duration = Duration::from_secs(1_800);

/// Writes everything that orders left once more under other names, in front of what is there. Shared streams stay one.
const COPY: &str = "INSERT INTO event (lane, position, part, kind, rank, stream, after, version, time, schema, fixed_at,
        deadline, hash, state, events, fixed)
    SELECT lane, position - $1 * 1000000000000, part, kind, rank, stream || '-' || $1, after, version, time, schema, fixed_at,
        deadline, hash, state, events, fixed FROM event WHERE rank = 0 AND position > 0";

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let server = postgres(Path::new(SERVERS))?;
    let (own, copies) = if scale.is_quick { (scale.window, 10) } else { (2_000, 499) };
    let full = Keep::Postgres(in_schema(&server.url(), SCHEMA));
    with_time("filling the tables", LIMIT, copied(&server.url(), &full, (own, scale.window), copies))?;
    let keep = Keep::Postgres(server.url());
    let load = scale.full_load(&keep);
    let first = Cell::new(own);
    let (many, empty) = (Plan::over(full), Plan::over(keep.clone()));
    let contenders = vec![
        Contender::new("many orders", || {
            let load = Load { first: first.get(), ..load };
            first.set(load.first + load.warm + load.orders);
            run_over(&many, &load, Some(&server))
        }),
        Contender::new("empty tables", || run_over(&empty, &load, Some(&server))),
    ];
    let all = interleave("many orders", scale.rounds, contenders)?;
    let [many, empty] = all.as_slice() else { return Err(Fault::void("two were measured")) };
    let variant = format!("full load, {} orders in the tables", own * (copies + 1));
    let row = Figure::OrdersPerSecond.beside(WORKLOAD, &variant, &keep, many, empty);
    let wanted = |ratio| Target::new(ratio, Bound::AtLeast(WANTED), "of the speed over empty tables");
    let target = row.ratio.map(wanted);
    report.add(row.held_against(target));
    Ok(())
}

/// Has a house take some orders, and copies what they left until there are enough.
async fn copied(url: &str, keep: &Keep, (own, window): (usize, usize), copies: usize) -> Result<(), Fault> {
    let plan = Plan { times: false, ..Plan::over(keep.clone()) };
    fill(&plan, Basket::Plain, 0..own, window).await?;
    let client = client(url, None).await?;
    client.batch_execute(&format!("SET search_path = {SCHEMA}")).await.map_err(Fault::measured)?;
    let progress = Progress::new("filling the tables", copies as u64);
    for copy in 1..=copies as i64 {
        client.execute(COPY, &[&copy]).await.map_err(Fault::measured)?;
        progress.step();
    }
    client.batch_execute("VACUUM (ANALYZE) event").await.map_err(Fault::measured)
}
