//! Chance, by seed: equal seeds and purposes give equal throws, on every machine.

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::time::Duration;

/// One stream of throws.
///
/// Each purpose has a stream of its own, so that a fault which is switched off moves the throws of no other: that is
/// what lets a failing run be made smaller.
///
/// ```
/// use oms_simulation::Dice;
/// let (mut one, mut same, mut other) = (Dice::new(7, "a"), Dice::new(7, "a"), Dice::new(7, "b"));
/// assert_eq!(one.below(1 << 60), same.below(1 << 60));
/// assert_ne!(one.below(1 << 60), other.below(1 << 60));
/// ```
#[derive(Clone, Debug)]
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// The stream of a purpose in a seed.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: the purposes of one seed only have to differ.
        let of = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(Xoshiro256PlusPlus::seed_from_u64(seed.rotate_left(32) ^ of))
    }

    /// A number below `sides`; 0 when there are none.
    pub fn below(&mut self, sides: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(sides);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A place among `count`; 0 when there are none.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or(0)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// True as often as `per_mille` in a thousand throws.
    pub fn happens(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1_000) < u64::from(per_mille)
    }

    /// A time from `least` to `most` milliseconds; every second one is a whole second, so that things happen at once.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        let millis = self.between(least, most);
        let round = millis.is_multiple_of(2) && millis >= 1_000;
        Duration::from_millis(if round { millis / 1_000 * 1_000 } else { millis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_keep_to_their_sides() {
        let mut dice = Dice::new(1, "sides");
        assert!((0..1_000).all(|_| dice.below(6) < 6));
        assert!((0..1_000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert_eq!((dice.below(0), dice.index(0)), (0, 0));
    }

    #[test]
    fn what_never_happens_never_does_and_what_always_happens_always_does() {
        let mut dice = Dice::new(1, "always");
        assert!((0..1_000).all(|_| !dice.happens(0) && dice.happens(1_000)));
    }

    #[test]
    fn what_is_thrown_for_a_seed_is_the_same_for_ever() {
        let mut dice = Dice::new(42, "scheduler");
        let thrown: Vec<u64> = (0..4).map(|_| dice.below(1_000)).collect();
        assert_eq!(thrown, FOR_EVER, "a campaign of an older release must repeat");
    }

    const FOR_EVER: [u64; 4] = [992, 250, 282, 285];
}
