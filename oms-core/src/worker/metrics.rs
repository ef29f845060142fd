//! What the loops have counted since they were built.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! tallies {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Numbers, read at one moment; all but [`Metrics::held`] only grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Metrics { $($(#[$doc])* pub $name: u64,)+ }

        /// The counters themselves.
        #[derive(Debug, Default)]
        pub struct Tally { $($(#[$doc])* pub(super) $name: AtomicU64,)+ }

        impl Tally {
            /// Reads all counters.
            #[must_use]
            pub fn read(&self) -> Metrics {
                Metrics { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

tallies! {
    /// Turns that committed.
    turns,
    /// Messages whose effects were committed.
    handled,
    /// Deliveries that nobody owed: duplicates, acked and forgotten.
    duplicates,
    /// Deliveries that are no pack of ours: acked and forgotten, what they may have been is taken from the store.
    foreign,
    /// Messages taken from the store because no broker brought them in time (rule 2); an alarm when it grows.
    taken,
    /// Messages put aside.
    parked,
    /// Messages given up.
    buried,
    /// Turns that started again because somebody else wrote first.
    conflicts,
    /// Packs that the broker confirmed.
    published,
    /// Publishes with an unknown outcome, or refused for now.
    unconfirmed,
    /// Packs that the broker will never take; their hearers take them from the store.
    rejected,
    /// Calls of gateways.
    calls,
    /// Calls that were not answered.
    unanswered,
    /// Wishes that this process holds now: those that are being called, and those that wait for a moment.
    held,
    /// Times that the store or the broker was unavailable.
    outages,
}

/// Moves what one part of the process has of something from `known` to `now`.
pub(super) fn level(counter: &AtomicU64, known: &mut usize, now: usize) {
    // Both wrap, so that the sum over all parts is right.
    counter.fetch_add((now as u64).wrapping_sub(*known as u64), Ordering::Relaxed);
    *known = now;
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
