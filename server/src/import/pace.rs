//! How fast an import goes, and how it is stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The most orders that are placed with one call.
const MOST: usize = 64;

/// How many orders are placed in a second, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace(Option<u32>);

impl Pace {
    /// At most `rate` orders in a second; 0 is no limit.
    #[must_use]
    pub fn per_second(rate: u32) -> Self {
        Self(Some(rate).filter(|&rate| rate > 0))
    }

    /// How many orders to place with one call: a tenth of a second's worth, so that a slow import is smooth.
    #[must_use]
    pub fn chunk(self) -> usize {
        let tenth = |rate: u32| usize::try_from(rate / 10).unwrap_or(MOST);
        self.0.map_or(MOST, |rate| tenth(rate).clamp(1, MOST))
    }

    /// How long `count` orders take.
    ///
    /// ```
    /// use oms_server::import::Pace;
    /// assert_eq!(Pace::per_second(50).time(5), std::time::Duration::from_millis(100));
    /// assert!(Pace::default().time(1_000).is_zero());
    /// ```
    #[must_use]
    pub fn time(self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.map_or(Duration::ZERO, |rate| Duration::from_secs(1).saturating_mul(count) / rate)
    }
}

/// Says whether a run shall end early; cheap to clone, all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
