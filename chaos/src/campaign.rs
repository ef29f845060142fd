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
    progress::bar,
    round::{CameTo, Round, play},
    server::{Server, raise},
};
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
        let named = |round: &CameTo| {
            let seed = round.seed;
            round.violations.iter().map(move |what| format!("seed {seed}: {what}")).collect::<Vec<_>>()
        };
        Self {
            broker: broker.to_owned(),
            orders: rounds.iter().map(|round| round.orders).sum(),
            blows: Blows { kills: fell(Blow::Kill), wipes: fell(Blow::Wipe), swaps: fell(Blow::Swap) },
            mails: rounds.iter().map(|round| round.mails).sum(),
            taken: rounds.iter().map(|round| round.taken).sum(),
            seconds: rounds.iter().map(|round| round.seconds).sum(),
            violations: rounds.iter().flat_map(named).collect(),
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
pub async fn run(args: &BrokerArgs, mut said: impl FnMut(String)) -> Result<Summary, Failure> {
    let mut servers: Vec<Arc<dyn Server>> = Vec::new();
    for kind in args.kinds() {
        servers.push(raise(kind).await?);
    }
    let name = servers.first().map_or("nothing", |server| server.name());
    let rounds = args.blows().rounds(args.seed);
    let total = rounds.len();
    let mut came_to = Vec::new();
    for (number, blows) in rounds.into_iter().enumerate() {
        let seed = args.seed + number as u64;
        let bar = bar(args.orders.into(), &format!("round {} of {total}", number + 1));
        let round = Round { seed, orders: args.orders, blows, ..Round::default() };
        let came = play(&round, &servers, |placed| bar.set_position(placed)).await;
        bar.finish_and_clear();
        let came = came?;
        said(line(number + 1, total, &came));
        came_to.push(came);
    }
    Ok(Summary::of(name, came_to))
}

fn line(number: usize, total: usize, came: &CameTo) -> String {
    let ends: Vec<String> =
        came.by_status.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let CameTo { seed, seconds, taken, outages, .. } = came;
    let (blows, broken, ends) = (came.blows.len(), came.violations.len(), ends.join(", "));
    format!(
        "round {number} of {total}, seed {seed}: {blows} blows, {ends}; {taken} taken from the store, {outages} outages, {seconds:.1} s, {broken} broken"
    )
}
