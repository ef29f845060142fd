//! PostgreSQL on this machine: full load beside its floor, a hot SKU, and one order in flight, as it comes; full load with commits
//! that take five milliseconds.

use super::{
    Scale,
    name::{SERVERS, WORKLOAD},
};
use crate::{
    fault::Fault,
    house::{Basket, Keep, Plan, Way, postgres},
    load::{Contender, Load, interleave, run_over},
    peer::record_on,
    report::{Bound, Report, Target},
    workload::Figure,
};
use oms_servers::Server;
use std::{cell::Cell, path::Path};

/// A naive driver takes a part of the orders, and has a part on their way: it is that much slower, and has enough to do with these.
const NAIVE: usize = 10;
/// Times the naive driver.
const WANTED: f64 = 8.0;
const WANTED_SLOW: f64 = 20.0;
/// Of the floor.
const FLOOR: f64 = 0.6;
/// Of full load without a hot SKU.
const HOT: f64 = 0.8;
/// The most orders whose rows are recorded: all of them are kept in memory.
const RECORDED: usize = 2_000;
/// From placed to completed with one in flight, in microseconds.
const SINGLE: f64 = 5_000.0;

/// A commit waits five milliseconds before it flushes: real group commit over a slow disk, without one.
const SLOW: &str = "-c commit_delay=5000 -c commit_siblings=0";

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let server = postgres(Path::new(SERVERS))?;
    as_it_comes(scale, &server, report)?;
    with_slow_commits(scale, &server, report)
}

fn as_it_comes(scale: &Scale, server: &Server, report: &mut Report) -> Result<(), Fault> {
    let keep = Keep::Postgres(server.url());
    let load = scale.full_load(&keep);
    let recording = record_on(&server.url(), &Load { orders: load.orders.min(RECORDED), ..load })?;
    let commits = Cell::new(1.0);
    let plan = Plan::over(keep.clone());
    let house = Contender::new("the house", || {
        let sample = run_over(&plan, &load, Some(server))?;
        commits.set(sample.commits_each());
        Ok(sample)
    });
    // The floor writes in as many transactions as the house did in the round before it.
    let floor = Contender::new("store floor", || recording.write(commits.get()));
    let hot = contender("one hot SKU", server, &keep, Way::Batched, Load { basket: Basket::Hot, ..load });
    let single = contender("one in flight", server, &keep, Way::Batched, scale.one_in_flight(&keep));
    let all = vec![house, floor, naive(scale, server, &keep), hot, single];
    let all = interleave("PostgreSQL", scale.rounds, all)?;
    let [house, floor, naive, hot, single] = all.as_slice() else {
        return Err(Fault::void("five were measured"));
    };
    let rate = Figure::OrdersPerSecond;
    let beside = |variant: &str, series, peer, wanted, what: &str| {
        let row = rate.beside(WORKLOAD, variant, &keep, series, peer);
        let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(wanted), what));
        row.held_against(target)
    };
    report.add(beside("full load", house, naive, WANTED, "times the naive driver"));
    report.add(beside("full load", house, floor, FLOOR, "of the store floor"));
    report.add(beside("one SKU in half of all orders", hot, house, HOT, "of uniform SKUs"));
    report.add(rate.row(WORKLOAD, "full load, store floor", &keep, floor));
    report.add(rate.row(WORKLOAD, "full load, naive driver", &keep, naive));
    let row = Figure::Within(50.0).row(WORKLOAD, "one order in flight", &keep, single);
    let target = Target::new(row.value, Bound::AtMost(SINGLE), "µs from placed to completed");
    report.add(row.held_against(Some(target)));
    let row = Figure::Rows.row(WORKLOAD, "full load", &keep, house);
    let target = Target::new(row.value, Bound::AtMost(50.0), "rows per order in full batches");
    report.add(row.held_against(Some(target)));
    report.add(Figure::Wal.row(WORKLOAD, "full load", &keep, house));
    Ok(())
}

fn with_slow_commits(scale: &Scale, server: &Server, report: &mut Report) -> Result<(), Fault> {
    let keep =
        Keep::Postgres(format!("{}?options={}", server.url(), SLOW.replace(' ', "%20").replace('=', "%3D")));
    let house = contender("the house", server, &keep, Way::Batched, scale.full_load(&keep));
    let all = interleave("PostgreSQL, slow commits", scale.rounds, vec![house, naive(scale, server, &keep)])?;
    let [house, naive] = all.as_slice() else { return Err(Fault::void("two were measured")) };
    let (rate, variant) = (Figure::OrdersPerSecond, "full load, commits of 5 ms");
    let row = rate.beside(WORKLOAD, variant, &keep, house, naive);
    let wanted = |ratio| Target::new(ratio, Bound::AtLeast(WANTED_SLOW), "times the naive driver");
    let target = row.ratio.map(wanted);
    report.add(row.held_against(target));
    report.add(rate.row(WORKLOAD, &format!("{variant}, naive driver"), &keep, naive));
    Ok(())
}

fn contender<'a>(name: &str, server: &'a Server, keep: &Keep, way: Way, load: Load) -> Contender<'a> {
    let plan = Plan { way, ..Plan::over(keep.clone()) };
    Contender::new(name, move || run_over(&plan, &load, Some(server)))
}

fn naive<'a>(scale: &Scale, server: &'a Server, keep: &Keep) -> Contender<'a> {
    let load = scale.full_load(keep);
    let (orders, window) = ((load.orders / NAIVE).max(5), (load.window / NAIVE).max(1));
    let load = Load { orders, window, warm: load.warm / NAIVE, ..load };
    contender("naive driver", server, keep, Way::Naive, load)
}
