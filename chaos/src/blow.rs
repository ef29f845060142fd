//! Blows: what befalls the house in a round, and in which order.
//!
//! ```
//! use oms_chaos::blow::{Blow, Blows};
//! let rounds = Blows { kills: 7, wipes: 1, swaps: 0 }.rounds(1);
//! assert_eq!(rounds.iter().map(Vec::len).sum::<usize>(), 8);
//! assert!(rounds.iter().all(|round| round.len() <= Blows::IN_A_ROUND));
//! ```

use crate::drawn::drawn;
use serde::Serialize;

/// One thing that befalls the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blow {
    /// The broker's server is killed, and started again on what it had on its disk.
    Kill,
    /// The broker's server is killed, its data deleted, and started empty.
    Wipe,
    /// The process of the house dies, and another one goes on over another broker with the same database.
    Swap,
}

/// How many blows fall in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Blows {
    /// See [`Blow::Kill`].
    pub kills: u32,
    /// See [`Blow::Wipe`].
    pub wipes: u32,
    /// See [`Blow::Swap`].
    pub swaps: u32,
}

impl Blows {
    /// How many blows fall in one round at most.
    pub const IN_A_ROUND: usize = 7;

    /// Spreads the blows over as few rounds as hold them, each kind evenly, in an order that the seed draws. There is always
    /// one round, if only to show that all is well without any blow.
    #[must_use]
    pub fn rounds(self, seed: u64) -> Vec<Vec<Blow>> {
        let all = (self.kills + self.wipes + self.swaps) as usize;
        let mut rounds = vec![Vec::new(); all.div_ceil(Self::IN_A_ROUND).max(1)];
        let each = [(Blow::Kill, self.kills), (Blow::Wipe, self.wipes), (Blow::Swap, self.swaps)];
        let blows = each.into_iter().flat_map(|(blow, count)| (0..count).map(move |_| blow));
        let count = rounds.len();
        for (place, blow) in blows.enumerate() {
            rounds[place % count].push(blow);
        }
        rounds.into_iter().enumerate().map(|(number, round)| drawn("blow", seed, number, round)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blow_falls_once_in_an_order_that_the_seed_draws() {
        let blows = Blows { kills: 20, wipes: 3, swaps: 2 };
        let count = |rounds: &[Vec<Blow>], of| rounds.iter().flatten().filter(|blow| **blow == of).count();
        let rounds = blows.rounds(1);
        assert_eq!(rounds.len(), 4);
        assert_eq!([Blow::Kill, Blow::Wipe, Blow::Swap].map(|blow| count(&rounds, blow)), [20, 3, 2]);
        assert_eq!(rounds, blows.rounds(1));
        assert_ne!(rounds, blows.rounds(2));
        assert_eq!(Blows::default().rounds(1), [vec![]]);
    }
}
