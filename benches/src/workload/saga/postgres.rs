//! PostgreSQL on this machine: full load and one order in flight, as it comes and with commits that take five milliseconds.

use super::{
    Scale,
    name::{SERVERS, WORKLOAD},
};
use crate::{
    fault::Fault,
    house::{Keep, Plan, Way, postgres},
    load::{Contender, Load, Sample, Series, interleave, run},
    meter::used_by_all,
    report::{Bound, Report, Target},
    workload::Figure,
};
use oms_servers::Server;
use std::path::Path;

/// A naive driver takes a part of the orders: it is that much slower.
const NAIVE: usize = 10;
/// Times the naive driver.
const WANTED: f64 = 8.0;
const WANTED_SLOW: f64 = 20.0;
/// From placed to completed with one in flight, in microseconds.
const SINGLE: f64 = 5_000.0;

/// A commit waits five milliseconds before it flushes: real group commit over a slow disk, without one.
const SLOW: &str = "-c commit_delay=5000 -c commit_siblings=0";

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let server = postgres(Path::new(SERVERS))?;
    let keep = Keep::Postgres(server.url());
    let all = interleave("PostgreSQL", scale.rounds, contenders(scale, &server, &keep))?;
    let [house, naive, single] = all.as_slice() else { return Err(Fault::void("three were measured")) };
    rows(report, &keep, (house, naive), "full load", WANTED);
    let row = Figure::Within(50.0).row(WORKLOAD, "one order in flight", &keep, single);
    let target = Target::new(row.value, Bound::AtMost(SINGLE), "µs from placed to completed");
    report.add(row.held_against(Some(target)));
    let row = Figure::Rows.row(WORKLOAD, "full load", &keep, house);
    let target = Target::new(row.value, Bound::AtMost(50.0), "rows per order in full batches");
    report.add(row.held_against(Some(target)));

    let slow =
        Keep::Postgres(format!("{}?options={}", server.url(), SLOW.replace(' ', "%20").replace('=', "%3D")));
    let mut contenders = contenders(scale, &server, &slow);
    contenders.truncate(2);
    let all = interleave("PostgreSQL, slow commits", scale.rounds, contenders)?;
    let [house, naive] = all.as_slice() else { return Err(Fault::void("two were measured")) };
    rows(report, &slow, (house, naive), "full load, commits of 5 ms", WANTED_SLOW);
    Ok(())
}

fn contenders<'a>(scale: &Scale, server: &'a Server, keep: &Keep) -> Vec<Contender<'a>> {
    let contender = |name, way, load: Load| {
        let plan = Plan { way, ..Plan::over(keep.clone()) };
        Contender::new(name, move || {
            let before = used_by_all(server.data());
            let sample = run(&plan, &load)?;
            let server = used_by_all(server.data()).saturating_sub(before);
            Ok(Sample { server: Some(server), ..sample })
        })
    };
    let load = scale.full_load(keep);
    let part = Load { orders: (load.orders / NAIVE).max(5), warm: load.warm / NAIVE, ..load };
    vec![
        contender("the house", Way::Batched, load),
        contender("naive driver", Way::Naive, part),
        contender("one in flight", Way::Batched, scale.one_in_flight(keep)),
    ]
}

fn rows(report: &mut Report, keep: &Keep, (house, naive): (&Series, &Series), variant: &str, wanted: f64) {
    let rate = Figure::OrdersPerSecond;
    let row = rate.beside(WORKLOAD, variant, keep, house, naive);
    let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(wanted), "times the naive driver"));
    report.add(row.held_against(target));
    report.add(rate.row(WORKLOAD, &format!("{variant}, naive driver"), keep, naive));
}
