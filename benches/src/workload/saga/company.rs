//! Orders of 2 lines while an order of 500 is always on its way beside them.

use super::{super::scale::stores, Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::Plan,
    load::{Contender, Load, interleave, run},
    report::{Bound, Report, Target},
    workload::Figure,
};

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let keeps = stores();
    let contenders = keeps.iter().flat_map(|keep| {
        [("by themselves", false), ("beside one of 500 lines", true)].map(|(name, company)| {
            let (plan, load) = (Plan::over(keep.clone()), Load { company, ..scale.full_load(keep) });
            Contender::new(name, move || run(&plan, &load))
        })
    });
    let all = interleave("company", scale.rounds, contenders.collect())?;
    for (keep, pair) in keeps.iter().zip(all.chunks(2)) {
        let [alone, beside] = pair else { continue };
        let variant = "2 lines, beside one of 500";
        let row = Figure::OrdersPerSecond.beside(WORKLOAD, variant, keep, beside, alone);
        let what = "of the throughput without it";
        let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(0.8), what));
        report.add(row.held_against(target));
    }
    Ok(())
}
