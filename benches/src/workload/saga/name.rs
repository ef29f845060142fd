//! The name of this workload on every row.

pub(super) const WORKLOAD: &str = "saga";
