//! A progress bar on standard error; where that is no terminal, a line when something begins.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts up to a known number. Dropped, it leaves the screen.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows a bar for `total` steps.
    pub(crate) fn new(label: &'static str, total: u64) -> Self {
        let bar = ProgressBar::new(total).with_prefix(label);
        if bar.is_hidden() {
            eprintln!("measuring {label}: {total} steps");
        }
        let style = ProgressStyle::with_template("{prefix:>10} [{bar:30}] {pos}/{len} {elapsed} {msg}");
        Self(match style {
            Ok(style) => bar.with_style(style.progress_chars("=> ")),
            Err(_) => bar,
        })
    }

    /// Says what is under way.
    pub(crate) fn says(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// One step more is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// So many steps are done.
    pub(crate) fn reach(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
