//! What befalls a round, and in which order.

use crate::{drawn::drawn, moment::Moment};
use serde::Serialize;

/// One thing that befalls the house or its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strike {
    /// PostgreSQL is killed, and started again on what it had on its disk.
    Kill,
    /// A process of the house is killed at a moment, and another one begins.
    Death(Moment),
    /// A process of the house stops until its leases are another's, and goes on.
    Sleep,
}

/// How much befalls in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Strikes {
    /// See [`Strike::Kill`].
    pub kills: u32,
    /// See [`Strike::Death`]; the moments take turns.
    pub deaths: u32,
    /// See [`Strike::Sleep`].
    pub sleeps: u32,
}

impl Strikes {
    /// How many of each kind befall one round at most.
    const IN_A_ROUND: Self = Self { kills: 10, deaths: 50, sleeps: 5 };

    /// Spreads them over as few rounds as hold them, each kind evenly, in an order that the seed draws. There is always one round.
    #[must_use]
    pub fn rounds(self, seed: u64) -> Vec<Vec<Strike>> {
        let most = Self::IN_A_ROUND;
        let needed = [(self.kills, most.kills), (self.deaths, most.deaths), (self.sleeps, most.sleeps)];
        let count = needed.into_iter().map(|(all, most)| all.div_ceil(most)).max().unwrap_or(1).max(1);
        let deaths = Moment::ALL.into_iter().cycle().map(Strike::Death).take(self.deaths as usize);
        let mut rounds = vec![Vec::new(); count as usize];
        for strikes in [
            vec![Strike::Kill; self.kills as usize],
            deaths.collect(),
            vec![Strike::Sleep; self.sleeps as usize],
        ] {
            // Neighbours stay together, so that each round has every moment.
            let each = strikes.len().div_ceil(rounds.len()).max(1);
            for (round, some) in rounds.iter_mut().zip(strikes.chunks(each)) {
                round.extend_from_slice(some);
            }
        }
        rounds.into_iter().enumerate().map(|(number, round)| drawn("strike", seed, number, round)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_befalls_once_in_an_order_that_the_seed_draws() {
        let strikes = Strikes { kills: 25, deaths: 101, sleeps: 3 };
        let rounds = strikes.rounds(1);
        assert_eq!(rounds.len(), 3);
        let count = |of: fn(&Strike) -> bool| rounds.iter().flatten().filter(|strike| of(strike)).count();
        assert_eq!(count(|strike| *strike == Strike::Kill), 25);
        assert_eq!(count(|strike| *strike == Strike::Sleep), 3);
        assert_eq!(count(|strike| matches!(strike, Strike::Death(_))), 101);
        assert_eq!(count(|strike| *strike == Strike::Death(Moment::Called)), 25, "the moments take turns");
        for round in &rounds {
            let has = |strike| round.contains(&strike);
            assert!(has(Strike::Kill) && Moment::ALL.into_iter().map(Strike::Death).all(has), "{round:?}");
        }
        assert_eq!(rounds, strikes.rounds(1));
        assert_ne!(rounds, strikes.rounds(2));
        assert_eq!(Strikes::default().rounds(1), [vec![]]);
    }
}
