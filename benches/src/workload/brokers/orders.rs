//! Whole orders over a broker and a store: packs on and off, beside the naive driver.

use super::super::{Figure, Scale};
use super::{
    name::WORKLOAD,
    server::{Kept, Served},
};
use crate::{
    fault::Fault,
    house::{Keep, Over, Plan, Way},
    load::{Contender, Load, interleave, run},
    report::{Bound, Report, Target},
};
use oms_servers::Kind;
use std::time::Duration;

/// The naive driver, and a house that packs nothing, take a part of the orders: they are that much slower.
const NAIVE: usize = 10;

/// How many times the naive driver a house should be.
fn wanted(kind: Kind) -> f64 {
    match kind {
        Kind::RabbitMq => 3.5,
        _ => 4.0,
    }
}

pub(super) fn measure(
    scale: &Scale,
    served: &Served,
    (keep, store): &(Keep, Option<&Kept>),
    report: &mut Report,
) -> Result<(), Fault> {
    let Some(kind) = served.kind else { return Ok(()) };
    // What the servers have used, all together.
    let used = || Some(served.used()? + store.map_or(Duration::ZERO, Kept::used));
    let over = Over::Server { name: kind.name(), url: served.url.clone() };
    let contender = |name, way| {
        let plan = Plan { over: over.clone(), way, ..Plan::over(keep.clone()) };
        let load = scale.full_load(keep);
        let part = if way == Way::Naive { NAIVE } else { 1 };
        let load = Load { orders: (load.orders / part).max(5), warm: load.warm / part, ..load };
        Contender::new(name, move || {
            let before = used();
            let sample = run(&plan, &load)?;
            let server = used().zip(before).map(|(after, before)| after.saturating_sub(before));
            Ok(crate::load::Sample { server, ..sample })
        })
    };
    let contenders = vec![
        contender("packs", Way::Batched),
        contender("no packs", Way::Unpacked),
        contender("naive driver", Way::Naive),
    ];
    let series = interleave(kind.name(), scale.rounds, contenders)?;
    let [packs, unpacked, naive] = series.as_slice() else { return Err(Fault::void("three were measured")) };
    let rate = Figure::OrdersPerSecond;
    let named = |row| crate::report::Row { broker: kind.name(), ..row };
    let row = named(rate.beside(WORKLOAD, "whole orders", keep, packs, naive));
    let target =
        row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(wanted(kind)), "times the naive driver"));
    report.add(row.held_against(target));
    report.add(named(rate.beside(WORKLOAD, "whole orders, no packs", keep, unpacked, naive)));
    report.add(named(rate.row(WORKLOAD, "whole orders, naive driver", keep, naive)));
    Ok(())
}
