//! A progress bar on standard error; nothing at all where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts up to a known number. Dropped, it leaves the screen.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows a bar for `total` things.
    #[must_use]
    pub fn new(label: &'static str, total: u64) -> Self {
        let bar = ProgressBar::new(total).with_message(label);
        let style = ProgressStyle::with_template("{msg:>10} [{bar:40}] {pos}/{len} {elapsed}");
        Self(match style {
            Ok(style) => bar.with_style(style.progress_chars("=> ")),
            Err(_) => bar,
        })
    }

    /// Says how many are done.
    pub fn reach(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
