//! How long the command waits for the loops, and how much it looks at with one call.

use std::time::Duration;

/// How long redriven messages, and what follows from them, may take; what takes longer goes on with the next run.
pub(super) const REST: Duration = Duration::from_secs(10);
/// How long to wait between two looks at them.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// More than so many are worth a progress bar.
pub(super) const MANY: usize = 20;
/// How many are looked at with one call.
pub(super) const PAGE: usize = 500;
