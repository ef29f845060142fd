//! What one run cost.

use crate::{
    meter::Times,
    report::{percentile, ratio},
};
use std::time::Duration;

/// What one run cost.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Orders that went all the way.
    pub orders: u64,
    /// From the first order to the rest after the last.
    pub times: Times,
    /// Rows written.
    pub rows: u64,
    /// Commits.
    pub commits: u64,
    /// Bytes of what was committed.
    pub bytes: u64,
    /// Each order's time from its intended start to the commit that ends it, in seconds.
    pub seconds: Vec<f64>,
    /// Deliveries that were recognised as repeated.
    pub duplicates: u64,
    /// Processor time of the broker's or the store's server, where there is one.
    pub server: Option<Duration>,
    /// Bytes that the store's server has written ahead, where there is one.
    pub wal: u64,
    /// How many others wanted the processors, in percent.
    pub pressure: Option<f64>,
}

impl Sample {
    /// Orders in a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        ratio(self.orders as f64, self.times.wall.as_secs_f64()).unwrap_or_default()
    }

    /// Processor time of an order, in microseconds.
    #[must_use]
    pub fn cpu_us(&self) -> f64 {
        self.each(self.times.cpu.as_secs_f64() * 1e6)
    }

    /// Processor time of the broker's server for an order, in microseconds; nothing where there is none.
    #[must_use]
    pub fn server_us(&self) -> f64 {
        self.each(self.server.unwrap_or_default().as_secs_f64() * 1e6)
    }

    /// Rows of an order.
    #[must_use]
    pub fn rows_each(&self) -> f64 {
        self.each(self.rows as f64)
    }

    /// Commits of an order.
    #[must_use]
    pub fn commits_each(&self) -> f64 {
        self.each(self.commits as f64)
    }

    /// Bytes of an order.
    #[must_use]
    pub fn bytes_each(&self) -> f64 {
        self.each(self.bytes as f64)
    }

    /// Bytes that the store's server has written ahead for an order; nothing where there is none.
    #[must_use]
    pub fn wal_each(&self) -> f64 {
        self.each(self.wal as f64)
    }

    /// The time within which so many percent of the orders ended, in microseconds.
    #[must_use]
    pub fn within_us(&self, percent: f64) -> f64 {
        percentile(&self.seconds, percent).unwrap_or_default() * 1e6
    }

    fn each(&self, all: f64) -> f64 {
        ratio(all, self.orders as f64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_no_orders_is_all_zeros() {
        assert_eq!(Sample::default().per_second() + Sample::default().cpu_us(), 0.0);
    }

    #[test]
    fn everything_is_counted_for_one_order() {
        let times = Times { wall: Duration::from_secs(2), cpu: Duration::from_secs(3) };
        let seconds = vec![0.5, 1.5];
        let sample = Sample { orders: 100, times, rows: 4_400, commits: 50, seconds, ..Sample::default() };
        assert_eq!((sample.per_second(), sample.cpu_us()), (50.0, 30_000.0));
        assert_eq!((sample.rows_each(), sample.commits_each()), (44.0, 0.5));
        assert_eq!(sample.within_us(50.0), 500_000.0);
    }
}
