//! What the parts of this workload share.

/// Its name on every row.
pub(super) const WORKLOAD: &str = "saga";

/// Where servers are installed and keep their data.
pub(super) const SERVERS: &str = "target/servers";
