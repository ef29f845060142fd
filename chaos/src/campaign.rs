//! A campaign: rounds until every blow has fallen, with progress, a summary, and a verdict.
//!
//! ```
//! use oms_chaos::campaign::Summary;
//! let summary = Summary::of("memory", Vec::new());
//! assert!(summary.violations.is_empty() && summary.to_string().contains("0 orders"));
//! ```

use crate::{
    args::BrokerArgs,
    blow::{Blow, Blows},
    failure::Failure,
    progress::{Rounds, broken, ends},
    round::{CameTo, Round, play},
    server::{Server, raise},
};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{fmt, sync::Arc};

/// What a campaign came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The broker.
    pub broker: String,
    /// Orders placed in all.
    pub orders: u64,
    /// Blows that fell.
    pub blows: Blows,
    /// Notices that went out.
    pub mails: u64,
    /// Messages that were taken from the store, because no broker brought them.
    pub taken: u64,
    /// Seconds in all.
    pub seconds: f64,
    /// Every promise that was broken, with its round's seed.
    pub violations: Vec<String>,
    /// The rounds.
    pub rounds: Vec<CameTo>,
}

impl Summary {
    /// Sums rounds up.
    #[must_use]
    pub fn of(broker: &str, rounds: Vec<CameTo>) -> Self {
        let fell = |blow: Blow| {
            let count = rounds.iter().flat_map(|round| &round.blows).filter(|one| **one == blow).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        Self {
            broker: broker.to_owned(),
            orders: rounds.iter().map(|round| round.orders).sum(),
            blows: Blows { kills: fell(Blow::Kill), wipes: fell(Blow::Wipe), swaps: fell(Blow::Swap) },
            mails: rounds.iter().map(|round| round.mails).sum(),
            taken: rounds.iter().map(|round| round.taken).sum(),
            seconds: rounds.iter().map(|round| round.seconds).sum(),
            violations: rounds.iter().flat_map(|round| broken(round.seed, &round.violations)).collect(),
            rounds,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Blows { kills, wipes, swaps } = self.blows;
        writeln!(
            out,
            "{}: {} orders in {} rounds, {:.0} s; the server was killed {kills} times and wiped {wipes} times, and the house moved {swaps} times",
            self.broker,
            self.orders,
            self.rounds.len(),
            self.seconds
        )?;
        writeln!(out, "{} notices went out, {} messages were taken from the store", self.mails, self.taken)?;
        for broken in &self.violations {
            writeln!(out, "broken: {broken}")?;
        }
        write!(out, "{} promises are broken", self.violations.len())
    }
}

/// Runs a campaign. `said` is told what each round came to.
///
/// # Errors
/// [`Failure`] when a server cannot be used.
pub async fn run(args: &BrokerArgs, said: impl FnMut(String)) -> Result<Summary, Failure> {
    let mut servers: Vec<Arc<dyn Server>> = Vec::new();
    for kind in args.kinds() {
        servers.push(raise(kind).await?);
    }
    let name = servers.first().map_or("nothing", |server| server.name());
    let rounds = Rounds {
        orders: args.rounds.orders,
        seed: args.rounds.seed,
        blows: args.blows().rounds(args.rounds.seed),
    };
    let play = async |round: &Round, bar: &ProgressBar| {
        play(round, &servers, |placed| bar.set_position(placed)).await
    };
    Ok(Summary::of(name, rounds.play(play, said, line).await?))
}

fn line(came: &CameTo) -> String {
    let CameTo { seconds, taken, outages, .. } = came;
    let (blows, broken, ends) = (came.blows.len(), came.violations.len(), ends(&came.by_status));
    format!(
        "{blows} blows, {ends}; {taken} taken from the store, {outages} outages, {seconds:.1} s, {broken} broken"
    )
}
