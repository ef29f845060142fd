//! One SKU in half of all orders beside orders that share few.

use super::{super::scale::stores, Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::{Basket, Plan},
    load::{Contender, Load, interleave, run},
    report::{Bound, Report, Target},
    workload::Figure,
};

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let keeps = stores();
    let contenders = keeps.iter().flat_map(|keep| {
        [("uniform SKUs", Basket::Plain), ("one hot SKU", Basket::Hot)].map(|(name, basket)| {
            let (plan, load) = (Plan::over(keep.clone()), Load { basket, ..scale.full_load(keep) });
            Contender::new(name, move || run(&plan, &load))
        })
    });
    let all = interleave("hot SKU", scale.rounds, contenders.collect())?;
    for (keep, pair) in keeps.iter().zip(all.chunks(2)) {
        let [uniform, hot] = pair else { continue };
        let variant = "one SKU in half of all orders";
        let row = Figure::OrdersPerSecond.beside(WORKLOAD, variant, keep, hot, uniform);
        let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtLeast(0.8), "of uniform SKUs"));
        report.add(row.held_against(target));
    }
    Ok(())
}
