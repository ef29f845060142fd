//! A campaign over the store: rounds until everything has befallen, a summary, and a verdict.

use super::{
    round::{CameTo, Ground, Round, play},
    strike::Strikes,
};
use crate::{
    args::StoreArgs,
    failure::Failure,
    progress::{Rounds, broken, ends},
};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What a campaign came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The broker.
    pub broker: String,
    /// Orders placed in all.
    pub orders: u64,
    /// How often PostgreSQL was killed.
    pub kills: u32,
    /// How often a process was killed, by the moment at which it was.
    pub deaths: BTreeMap<&'static str, u32>,
    /// How often a process slept past its leases.
    pub sleeps: u32,
    /// Notices that went out.
    pub mails: u64,
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
        let mut deaths = BTreeMap::new();
        for (moment, count) in rounds.iter().flat_map(|round| &round.deaths) {
            *deaths.entry(*moment).or_default() += count;
        }
        Self {
            broker: broker.to_owned(),
            orders: rounds.iter().map(|round| round.orders).sum(),
            kills: rounds.iter().map(|round| round.kills).sum(),
            deaths,
            sleeps: rounds.iter().map(|round| round.sleeps).sum(),
            mails: rounds.iter().map(|round| round.mails).sum(),
            seconds: rounds.iter().map(|round| round.seconds).sum(),
            violations: rounds.iter().flat_map(|round| broken(round.seed, &round.violations)).collect(),
            rounds,
        }
    }
}

/// The deaths of all moments, in words.
fn deaths(all: &BTreeMap<&str, u32>) -> String {
    let each: Vec<String> = all.iter().map(|(moment, count)| format!("{moment} {count}")).collect();
    format!("{} times ({})", all.values().sum::<u32>(), each.join(", "))
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broker, orders, kills, sleeps, mails, seconds, .. } = self;
        let (rounds, died) = (self.rounds.len(), deaths(&self.deaths));
        writeln!(out, "PostgreSQL and {broker}: {orders} orders in {rounds} rounds, {seconds:.0} s")?;
        writeln!(
            out,
            "PostgreSQL was killed {kills} times; processes were killed {died}, and slept {sleeps} times"
        )?;
        writeln!(out, "{mails} notices went out")?;
        for broken in &self.violations {
            writeln!(out, "broken: {broken}")?;
        }
        write!(out, "{} promises are broken", self.violations.len())
    }
}

/// Runs a campaign, whose processes are this program again. `said` is told what each round came to.
///
/// # Errors
/// [`Failure`] when a server or a process cannot be used.
pub async fn run(args: &StoreArgs, said: impl FnMut(String)) -> Result<Summary, Failure> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| Failure::of("this program does not know where it is", error))?;
    let ground = Ground::raise(args.broker, program).await?;
    let strikes = Strikes { kills: args.kills, deaths: args.deaths, sleeps: args.sleeps };
    let rounds = Rounds {
        orders: args.rounds.orders,
        seed: args.rounds.seed,
        blows: strikes.rounds(args.rounds.seed),
    };
    let play = async |round: &Round, bar: &ProgressBar| {
        play(round, &ground, |placed| bar.set_position(placed)).await
    };
    Ok(Summary::of(ground.broker(), rounds.play(play, said, line).await?))
}

fn line(came: &CameTo) -> String {
    let CameTo { kills, sleeps, seconds, .. } = came;
    let (died, broken, ends) = (deaths(&came.deaths), came.violations.len(), ends(&came.by_status));
    format!(
        "{ends}; {kills} kills of PostgreSQL, processes killed {died}, {sleeps} sleeps, {seconds:.1} s, {broken} broken"
    )
}
