//! The saga from placed to completed, through all five services.

mod company;
mod endurance;
mod full_load;
mod lanes;
mod long;
mod million;
mod name;
mod postgres;
mod single;
mod skus;

use super::Scale;
use crate::{fault::Fault, report::Report};

/// A part of the saga's measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Full load beside its peers, then half of the maximum as an open loop
    Load,
    /// One order in flight
    Single,
    /// Orders of 500 lines, alone and beside others
    Long,
    /// One SKU in half of all orders
    Hot,
    /// 4 to 1,024 lanes
    Lanes,
    /// PostgreSQL on a server of its own, as it comes and with slow commits
    Postgres,
    /// PostgreSQL for twelve minutes at full speed; only when it is named
    Endurance,
    /// PostgreSQL with a million orders in its tables, which take 12 GB; only when it is named
    Million,
}

/// Measures the saga: these parts of it, or all.
///
/// # Errors
/// [`Fault`], by what failed.
pub fn saga(scale: &Scale, parts: &[Part]) -> Result<Report, Fault> {
    let mut report = Report::default();
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    if wanted(Part::Load) {
        let most = full_load::measure(scale, &mut report)?;
        full_load::at_half(scale, &most, &mut report)?;
    }
    if wanted(Part::Single) {
        single::measure(scale, &mut report)?;
    }
    if wanted(Part::Long) {
        long::measure(scale, &mut report)?;
        company::measure(scale, &mut report)?;
    }
    if wanted(Part::Hot) {
        skus::measure(scale, &mut report)?;
    }
    if wanted(Part::Lanes) {
        lanes::measure(scale, &mut report)?;
    }
    if wanted(Part::Postgres) {
        postgres::measure(scale, &mut report)?;
    }
    if parts.contains(&Part::Endurance) {
        endurance::measure(scale, &mut report)?;
    }
    if parts.contains(&Part::Million) {
        million::measure(scale, &mut report)?;
    }
    Ok(report)
}
