//! One order in flight.

use super::{Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::{Keep, Plan},
    load::{Contender, interleave, run},
    peer::pipeline,
    report::{Bound, Report, Target},
    workload::Figure,
};
use oms_sqlite::Synchronous;

const VARIANT: &str = "one order in flight";
/// From placed to completed, in microseconds.
const IN_MEMORY: f64 = 100.0;
const ON_SQLITE: f64 = 4_000.0;

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let keeps = [Keep::Memory, Keep::Sqlite(Synchronous::Full), Keep::Sqlite(Synchronous::Normal)];
    let orders = scale.one_in_flight(&Keep::Memory).orders;
    let mut contenders = vec![Contender::new("five-task pipeline", move || pipeline(orders, 1))];
    contenders.extend(keeps.iter().map(|keep| {
        let (plan, load) = (Plan::over(keep.clone()), scale.one_in_flight(keep));
        Contender::new(keep.durability(), move || run(&plan, &load))
    }));
    let all = interleave("single", scale.rounds, contenders)?;
    let Some((peer, houses)) = all.split_first() else { return Ok(()) };
    for (keep, series) in keeps.iter().zip(houses) {
        let row = Figure::Within(50.0).beside(WORKLOAD, VARIANT, keep, series, peer);
        let bound = if *keep == Keep::Memory { IN_MEMORY } else { ON_SQLITE };
        let target = Target::new(row.value, Bound::AtMost(bound), "µs from placed to completed");
        let asked = *keep != Keep::Sqlite(Synchronous::Normal);
        report.add(row.held_against(asked.then_some(target)));
        if *keep != Keep::Memory {
            let row = Figure::Rows.row(WORKLOAD, VARIANT, keep, series);
            let target = Target::new(row.value, Bound::AtMost(80.0), "rows per order, one in flight");
            report.add(row.held_against(Some(target)));
        }
    }
    Ok(())
}
