//! Process memory of orders that wait, and of those that have ended.

mod point;

pub use point::{Measured, Point, Waiting, measure};

use super::Scale;
use crate::{
    fault::Fault,
    house::Keep,
    process::output,
    report::{Bound, Report, Row, Target},
};
use oms_sqlite::Synchronous;
use std::path::Path;
use tempfile::TempDir;

const WORKLOAD: &str = "memory";
const MEGABYTE: f64 = 1_048_576.0;
/// What so many open orders may add, in megabytes.
const OPEN: f64 = 64.0;
/// Completed ones add nothing; this much is what the caches of a larger file move by.
const NOTHING: f64 = 8.0;

/// Measures what orders add to the memory of a process over SQLite, each kind in a process of its own: `benches` is the program
/// that measures one point.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn memory(scale: &Scale, benches: &Path) -> Result<Report, Fault> {
    let mut report = Report::default();
    for (waiting, most) in [(Waiting::Held, OPEN), (Waiting::Upi, OPEN), (Waiting::Completed, NOTHING)] {
        let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
        let file = folder.path().join("orders.db");
        let point = Point { file, waiting, warm: (scale.open / 4).min(20_000), orders: scale.open };
        let answer = output(benches, &point.arguments())?;
        let measured: Measured = serde_json::from_str(&answer).map_err(Fault::measured)?;
        let added = (measured.after as f64 - measured.before as f64) / MEGABYTE;
        let what = format!("MB of process memory for {} {} orders", scale.open, waiting.name());
        let target = (!scale.is_quick).then(|| Target::new(added, Bound::AtMost(most), &what));
        report.add(row(&point, added, "MB added").held_against(target));
        let before = measured.before as f64 / MEGABYTE;
        report.add(row(&point, before, "MB before"));
    }
    Ok(report)
}

fn row(point: &Point, value: f64, unit: &'static str) -> Row {
    let keep = Keep::Sqlite(Synchronous::Full);
    Row {
        workload: WORKLOAD,
        variant: format!("{} {} orders", point.orders, point.waiting.name()),
        broker: "memory",
        store: keep.store(),
        durability: keep.durability(),
        value,
        best: value,
        unit,
        rounds: 1,
        ..Row::default()
    }
}
