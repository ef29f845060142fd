//! The whole suite for brokers: all its checks, in order.

use super::{
    super::report::{self, Check, Report},
    delivery, faults, groups,
    harness::{Harness, Need},
    lifecycle, order, pressure, settlement, watch,
};
use crate::broker::BrokerError;

/// Every check of the suite, in order.
#[must_use]
pub fn checks() -> Vec<Check<dyn Harness, Need>> {
    let rooms = [
        delivery::checks(),
        groups::checks(),
        order::checks(),
        settlement::checks(),
        pressure::checks(),
        lifecycle::checks(),
        faults::checks(),
        watch::checks(),
    ];
    rooms.into_iter().flatten().collect()
}

/// Runs the whole suite.
///
/// ```
/// let checks = oms_core::conformance::broker::checks();
/// assert!(checks.len() >= 52);
/// ```
///
/// # Errors
/// [`BrokerError`] when there is no connection at all to ask for its capabilities.
pub async fn run(harness: &(dyn Harness + 'static)) -> Result<Report, BrokerError> {
    run_chosen(harness, |_| true).await
}

/// Runs the checks whose id is chosen, to look for the cause of a failure: whoever leaves one out has not run the suite.
///
/// # Errors
/// As [`run`].
pub async fn run_chosen(
    harness: &(dyn Harness + 'static),
    chosen: impl Fn(&str) -> bool,
) -> Result<Report, BrokerError> {
    let capabilities = harness.connect().await?.capabilities();
    let absent = harness.absent();
    let has = |need: &Need| {
        let declared = match need {
            Need::ExactLag => capabilities.exact_lag,
            Need::ExclusiveReader => capabilities.exclusive_reader,
            Need::Wipe | Need::PushBack | Need::Restart | Need::Wire | Need::Pause => true,
        };
        declared && !absent.contains(need)
    };
    let clock = harness.clock();
    let checks: Vec<_> = checks().into_iter().filter(|check| chosen(check.id)).collect();
    Ok(report::run(harness, &checks, &*clock, harness.patience(), has).await)
}
