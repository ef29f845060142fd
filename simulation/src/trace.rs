//! The trace of a run: what a person reads when something went wrong.

use crate::clock::Time;
use std::{
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

/// Lines with the virtual time before each. Costs nothing where nobody asked for it.
pub(crate) struct Trace {
    time: Time,
    lines: Option<Mutex<String>>,
}

impl Trace {
    /// One that keeps lines, or one that does not.
    #[must_use]
    pub(crate) fn new(time: Time, kept: bool) -> Self {
        Self { time, lines: kept.then(Mutex::default) }
    }

    /// Writes a line, which is only made when it is kept.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        let Some(lines) = &self.lines else { return };
        let elapsed = self.time.elapsed();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{:>4}.{:06} {}", elapsed.as_secs(), elapsed.subsec_micros(), line());
    }

    /// Everything that was said.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.as_ref();
        lines.map_or_else(String::new, |lines| lines.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
