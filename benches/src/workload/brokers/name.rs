//! What the workload is called.

/// In every row.
pub(super) const WORKLOAD: &str = "brokers";
