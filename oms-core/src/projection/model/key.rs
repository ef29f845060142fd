//! The keys of rows: of a subject, of a sum, of a stream that stopped.

use crate::id::Name;

/// What the keys of subjects begin with.
pub const SUBJECT: &str = "of/";
/// What the keys of sums begin with.
pub const SUM: &str = "sum/";
/// What the keys of streams that stopped begin with.
pub const STOPPED: &str = "stopped/";

/// The key of a subject's row.
#[must_use]
pub fn subject(id: &str) -> Name {
    Name::from(format!("{SUBJECT}{id}"))
}

/// The key of a sum's row.
#[must_use]
pub fn sum(name: &str) -> Name {
    Name::from(format!("{SUM}{name}"))
}

/// The key of the row of a stream that stopped.
#[must_use]
pub fn stopped(kind: &str, id: &str) -> Name {
    Name::from(format!("{STOPPED}{kind}/{id}"))
}
