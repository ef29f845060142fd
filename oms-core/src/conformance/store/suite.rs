//! The whole suite for stores: all its checks, and what each of them said.

use super::{
    check::{Check, Outcome},
    deadlines, effects,
    harness::Harness,
    installation, lanes, letters, owed, parking, streams, waits,
};
use std::fmt;

/// All checks, in the order in which they are best read.
#[must_use]
pub fn checks() -> Vec<Check> {
    let rooms = [
        owed::CHECKS,
        lanes::CHECKS,
        streams::CHECKS,
        parking::CHECKS,
        letters::CHECKS,
        deadlines::CHECKS,
        effects::CHECKS,
        waits::CHECKS,
        installation::CHECKS,
    ];
    rooms.concat()
}

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The check's id.
    pub id: &'static str,
    /// The sentence.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(out, "ok   {} {}", self.id, self.name),
            Outcome::Failed(why) => write!(out, "FAIL {} {}: {why}", self.id, self.name),
            Outcome::NotApplicable(need) => {
                write!(out, "n/a  {} {}: the store declares that it lacks {need:?}", self.id, self.name)
            }
        }
    }
}

/// Runs all checks, one after the other.
pub async fn run(harness: &dyn Harness) -> Vec<Report> {
    let mut reports = Vec::new();
    for check in checks() {
        reports.push(Report { id: check.id, name: check.name, outcome: check.run(harness).await });
    }
    reports
}
