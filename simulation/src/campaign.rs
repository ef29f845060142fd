//! Many seeds on all cores: progress while it runs, and one line at its end.

use crate::{
    mark::Marks,
    plan::Cuts,
    plant::Plant,
    run::{Outcome, run},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// One seed in so many is run twice, and must take the same way.
const TWICE: u64 = 100;
/// After so many violations nobody learns more from the next.
const ENOUGH: usize = 20;

/// Which seeds are run.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// The bug that is planted, if any.
    pub plant: Option<Plant>,
    /// Whether it ends with the first violation.
    pub first: bool,
}

/// What a campaign found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds that failed, in order, with what was wrong first.
    pub failed: Vec<(u64, String)>,
    /// What was met.
    pub marks: Marks,
    /// Polls of all runs.
    pub polls: u64,
    /// Virtual time of all runs.
    pub lasted: Duration,
    /// How long it took.
    pub took: Duration,
}

impl Found {
    /// The line that ends every campaign.
    #[must_use]
    pub fn last_line(&self) -> String {
        let rate = self.seeds as f64 / self.took.as_secs_f64().max(1e-9);
        format!("{} seeds, {} violations, {rate:.0} seeds/s", self.seeds, self.failed.len())
    }
}

impl Campaign {
    /// Runs it, on as many threads as the machine has cores; each run is on one thread.
    ///
    /// ```
    /// use oms_simulation::Campaign;
    /// let found = Campaign { from: 0, seeds: 2, plant: None, first: false }.run(false);
    /// assert_eq!((found.seeds, found.failed.len()), (2, 0));
    /// ```
    #[must_use]
    pub fn run(&self, progress: bool) -> Found {
        let begun = Instant::now();
        let bar = if progress { bar(self.seeds) } else { ProgressBar::hidden() };
        let (next, stop, found) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Found::default()));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.seeds {
                            return;
                        }
                        let seed = self.from + number;
                        let outcome = self.one(seed);
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.add(seed, &outcome);
                        let enough = if self.first { 1 } else { ENOUGH };
                        stop.fetch_or(found.failed.len() >= enough, Ordering::Relaxed);
                        bar.inc(1);
                    }
                });
            }
        });
        bar.finish_and_clear();
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.failed.sort();
        found.took = begun.elapsed();
        found
    }

    fn one(&self, seed: u64) -> Outcome {
        let cuts = Cuts::default();
        let mut outcome = run(seed, &cuts, self.plant, false);
        if seed.is_multiple_of(TWICE) {
            let again = run(seed, &cuts, self.plant, false);
            if (again.polls, again.lasted, &again.wrong) != (outcome.polls, outcome.lasted, &outcome.wrong) {
                outcome.wrong.push("the same seed took another way the second time".to_owned());
            }
        }
        outcome
    }
}

impl Found {
    /// Adds one run.
    pub fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.polls += outcome.polls;
        self.lasted += outcome.lasted;
        self.marks.add(&outcome.marks);
        if let Some(wrong) = outcome.wrong.first() {
            self.failed.push((seed, wrong.clone()));
        }
    }
}

fn bar(seeds: u64) -> ProgressBar {
    let bar = ProgressBar::new(seeds);
    let style =
        ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} seeds, {per_sec}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
