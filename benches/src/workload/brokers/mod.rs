//! Brokers: what the port costs beside the bare client, and how many whole orders go over each.

mod allocations;
mod name;
mod orders;
mod server;
mod wires;

pub use allocations::{Counted, counted};

use super::Scale;
use crate::{fault::Fault, report::Report};
use server::{Kept, Served, all};
use std::path::Path;

/// Measures every broker that was built in, each over a server of its own below `root`, which is installed when it is missing:
/// packs through the port beside its bare client, and whole orders over SQLite and PostgreSQL beside the naive driver. Allocations are counted
/// by the program `counting`, where it is there.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn brokers(scale: &Scale, root: &Path, counting: Option<&Path>) -> Result<Report, Fault> {
    let mut report = Report::default();
    let kinds = all();
    // Over the broker in this process it is the saga that is measured, elsewhere.
    let wanted = kinds.iter().any(Option::is_some).then(|| Kept::start(root)).transpose()?;
    for kind in kinds {
        let served = Served::start(kind, root)?;
        wires::measure(scale, &served, &mut report)?;
        if let Some(counting) = counting {
            allocations::measure(&served, counting, &mut report)?;
        }
        for kept in wanted.iter().flat_map(Kept::both) {
            orders::measure(scale, &served, &kept, &mut report)?;
        }
    }
    Ok(report)
}
