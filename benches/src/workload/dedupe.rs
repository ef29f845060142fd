//! Duplicates: what they cost, and that none of them does anything.

use super::{Figure, Scale, scale::stores};
use crate::{
    fault::Fault,
    house::{Carry, Plan},
    load::{Contender, interleave, run},
    report::{Bound, Report, Target},
};

const WORKLOAD: &str = "dedupe";

/// Measures full load while the broker delivers 0, 10 and 50 percent of all packs twice. Each run is void when anything was done
/// twice, or when no pack came twice that should have.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn dedupe(scale: &Scale) -> Result<Report, Fault> {
    let mut report = Report::default();
    let keeps = stores();
    let shares = [(0, None), (10, Some(0.9)), (50, Some(0.6))];
    let contenders = keeps.iter().flat_map(|keep| {
        shares.map(|(repeated, _)| {
            let plan = Plan { carry: Carry { repeated }, ..Plan::over(keep.clone()) };
            let load = scale.full_load(keep);
            Contender::new(&format!("{repeated} % delivered twice"), move || {
                let sample = run(&plan, &load)?;
                if repeated > 0 && sample.duplicates == 0 {
                    return Err(Fault::void("no pack came twice"));
                }
                Ok(sample)
            })
        })
    });
    let all = interleave(WORKLOAD, scale.rounds, contenders.collect())?;
    for (keep, group) in keeps.iter().zip(all.chunks(shares.len())) {
        let Some((none, repeated)) = group.split_first() else { continue };
        report.add(Figure::OrdersPerSecond.row(WORKLOAD, &none.name, keep, none));
        for (series, (_, least)) in repeated.iter().zip(&shares[1..]) {
            let row = Figure::OrdersPerSecond.beside(WORKLOAD, &series.name, keep, series, none);
            let bound = row.ratio.zip(*least);
            let what = "of the throughput without duplicates";
            report.add(
                row.held_against(bound.map(|(ratio, least)| Target::new(ratio, Bound::AtLeast(least), what))),
            );
        }
    }
    Ok(report)
}
