//! Chance, from the seeds that the operating system gives to std's hashers.

use oms_core::id::IdSource;
use std::{
    hash::{BuildHasher, RandomState},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// Draws 128 bits for owners' names and the jitter of waits; not for secrets.
///
/// Each value is a counter, hashed twice under keys that were drawn for this source; the moment and the number
/// of the process are mixed in, so that two processes that were forked with equal keys differ as well.
///
/// ```
/// use oms_broker::{IdSource, RandomIds};
/// let ids = RandomIds::default();
/// assert_ne!(ids.next(), ids.next());
/// assert_ne!(RandomIds::default().next(), RandomIds::default().next());
/// ```
#[derive(Debug, Default)]
pub struct RandomIds {
    high: RandomState,
    low: RandomState,
    drawn: AtomicU64,
}

impl IdSource for RandomIds {
    fn next(&self) -> u128 {
        let seed = (self.drawn.fetch_add(1, Ordering::Relaxed), process::id(), SystemTime::now());
        // Two keys of one thread differ by one only; the other word keeps the halves apart.
        let high = self.high.hash_one(("high", seed));
        let low = self.low.hash_one(("low", seed));
        u128::from(high) << 64 | u128::from(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ten_thousand_draws_of_two_sources_all_differ() {
        let (one, two) = (RandomIds::default(), RandomIds::default());
        let drawn: BTreeSet<u128> = (0..5_000).flat_map(|_| [one.next(), two.next()]).collect();
        assert_eq!(drawn.len(), 10_000);
        // Each half alone is spread too: jitter takes only some of the bits.
        assert!(drawn.iter().map(|id| *id as u64).collect::<BTreeSet<_>>().len() > 9_990);
        assert!(drawn.iter().map(|id| id >> 64).collect::<BTreeSet<_>>().len() > 9_990);
    }
}
