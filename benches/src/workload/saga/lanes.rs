//! Throughput by the number of lanes.

use super::{super::scale::stores, Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::{Keep, Plan},
    load::{Contender, Load, interleave, run},
    report::{Bound, Report, Target},
    workload::Figure,
};

const LANES: [u16; 5] = [4, 16, 64, 256, 1_024];
/// Orders on their way for each lane, at least: a lane with nothing to do says nothing about what lanes cost.
const EACH: usize = 8;

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    for keep in stores() {
        of(scale, &keep, report)?;
    }
    Ok(())
}

fn of(scale: &Scale, keep: &Keep, report: &mut Report) -> Result<(), Fault> {
    let contender = |lanes| {
        let (plan, load) = (Plan { lanes, ..Plan::over(keep.clone()) }, scale.full_load(keep));
        let window = load.window.max(EACH * usize::from(lanes)).min(load.orders);
        let load = Load { window, ..load };
        Contender::new(&format!("{lanes} lanes"), move || run(&plan, &load))
    };
    let all = interleave("lanes", scale.rounds, LANES.map(contender).into())?;
    let Some((fewest, more)) = all.split_first() else { return Ok(()) };
    report.add(Figure::OrdersPerSecond.row(WORKLOAD, &fewest.name, keep, fewest));
    for series in more {
        let row = Figure::OrdersPerSecond.beside(WORKLOAD, &series.name, keep, series, fewest);
        let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(0.9), "of 4 lanes"));
        report.add(row.held_against(target));
    }
    Ok(())
}
