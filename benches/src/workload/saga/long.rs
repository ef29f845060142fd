//! An order of 500 lines beside one of 2, each alone in the house.

use super::{super::scale::stores, Scale, name::WORKLOAD};
use crate::{
    fault::Fault,
    house::{Basket, Plan},
    load::{Contender, Load, interleave, run},
    report::{Bound, Report, Target},
    workload::Figure,
};

/// How much more an order of 250 times the lines may cost.
const MOST: f64 = 100.0;

pub(super) fn measure(scale: &Scale, report: &mut Report) -> Result<(), Fault> {
    let keeps = stores();
    let contenders = keeps.iter().flat_map(|keep| {
        let alone = scale.one_in_flight(keep);
        let short = Load { basket: Basket::Stocked, ..alone };
        let long = Load { basket: Basket::Long, orders: (alone.orders / 20).max(2), warm: 1, ..alone };
        [("2 lines", short), ("500 lines", long)].map(|(name, load)| {
            let plan = Plan::over(keep.clone());
            Contender::new(name, move || run(&plan, &load))
        })
    });
    let all = interleave("long orders", scale.rounds, contenders.collect())?;
    for (keep, pair) in keeps.iter().zip(all.chunks(2)) {
        let [short, long] = pair else { continue };
        for (figure, what) in [
            (Figure::Within(50.0), "times the time of an order of 2 lines"),
            (Figure::Bytes, "times the bytes of an order of 2 lines"),
            (Figure::Cpu, ""),
        ] {
            let row = figure.beside(WORKLOAD, "500 lines, alone", keep, long, short);
            let target = row.ratio.map(|ratio| Target::new(ratio, Bound::AtMost(MOST), what));
            report.add(row.held_against(target.filter(|_| !what.is_empty())));
        }
    }
    Ok(())
}
