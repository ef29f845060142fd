//! The command line of a campaign.
//!
//! ```
//! use clap::Parser as _;
//! use oms_chaos::args::{Campaign, Cli};
//! let cli = Cli::try_parse_from(["oms-chaos", "broker", "--broker", "nats", "--kills", "9"])?;
//! let Campaign::Broker(args) = cli.campaign else { unreachable!("it was asked for") };
//! assert_eq!((args.blows().kills, args.rounds.orders), (9, 2_000));
//! # Ok::<(), clap::Error>(())
//! ```

use crate::blow::Blows;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How a campaign ends, for scripts.
const EXIT_CODES: &str = "\
Exit codes:
  0  every promise held
  1  a promise is broken; the rounds that broke it are named with their seeds
  2  bad usage
  3  a server could not be used, so that nothing was shown";

/// Whole orders over servers that are killed, wiped and swapped.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos", arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Whose server suffers.
    #[command(subcommand)]
    pub campaign: Campaign,
}

/// Whose server suffers.
#[derive(Debug, Subcommand)]
pub enum Campaign {
    /// The message broker's, while orders move
    #[command(after_help = EXIT_CODES)]
    Broker(BrokerArgs),
    /// PostgreSQL's, and the processes of the house: killed, at moments of one's choice too, and put to sleep
    #[command(after_help = EXIT_CODES)]
    Store(StoreArgs),
    /// One process of the house, as `store` starts them
    #[command(hide = true)]
    Process(ProcessArgs),
}

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A server in this process that forgets everything whenever it dies
    Memory,
    /// Apache Kafka
    Kafka,
    /// NATS JetStream
    Nats,
    /// RabbitMQ
    Rabbitmq,
}

impl Kind {
    /// The server that it runs on; none where it is in the process.
    #[must_use]
    pub fn server(self) -> Option<oms_servers::Kind> {
        match self {
            Self::Memory => None,
            Self::Kafka => Some(oms_servers::Kind::Kafka),
            Self::Nats => Some(oms_servers::Kind::Nats),
            Self::Rabbitmq => Some(oms_servers::Kind::RabbitMq),
        }
    }
}

/// How the rounds of a campaign are played.
#[derive(Clone, Debug, Args)]
pub struct RoundsArgs {
    /// How many orders each round places
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders: u32,
    /// The first round's seed; the next ones count on from it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Write what each round came to into this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// What `broker` takes.
#[derive(Clone, Debug, Args)]
pub struct BrokerArgs {
    /// The broker that carries messages
    #[arg(long, value_enum)]
    pub broker: Kind,
    /// The brokers that a swap goes on to, in turn [default: another server of the same kind]
    #[arg(long = "swap-to", value_enum, value_name = "KIND")]
    pub others: Vec<Kind>,
    /// How often the server is killed and started again
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub kills: u32,
    /// How often it is killed, its data deleted, and started empty
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub wipes: u32,
    /// How often the house dies and goes on over another server
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub swaps: u32,
    /// How its rounds are played
    #[command(flatten)]
    pub rounds: RoundsArgs,
}

/// What `store` takes.
#[derive(Clone, Debug, Args)]
pub struct StoreArgs {
    /// The broker that carries messages between the processes; not `memory`
    #[arg(long, value_enum, default_value = "nats")]
    pub broker: Kind,
    /// How often PostgreSQL is killed and started again
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub kills: u32,
    /// How often a process of the house is killed: anywhere, between a gateway's call and the commit, after a commit before the
    /// broker is told, after a publish before the cursor is saved, in turns
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub deaths: u32,
    /// How often a process is stopped until its leases are another's, and goes on
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub sleeps: u32,
    /// How its rounds are played
    #[command(flatten)]
    pub rounds: RoundsArgs,
}

/// What `process` takes.
#[derive(Clone, Debug, Args)]
pub struct ProcessArgs {
    /// Where orders are kept
    #[arg(long, value_name = "URL")]
    pub store: String,
    /// What carries messages
    #[arg(long, value_name = "URL")]
    pub broker: String,
    /// The socket of the providers
    #[arg(long, value_name = "FILE")]
    pub outside: PathBuf,
}

impl BrokerArgs {
    /// How many blows fall.
    #[must_use]
    pub fn blows(&self) -> Blows {
        Blows { kills: self.kills, wipes: self.wipes, swaps: self.swaps }
    }

    /// Every kind that takes part, the first one first.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let others = match (self.others.is_empty(), self.swaps) {
            (_, 0) => Vec::new(),
            (true, _) => vec![self.broker],
            (false, _) => self.others.clone(),
        };
        [self.broker].into_iter().chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn kinds(line: &str) -> Vec<Kind> {
        match Cli::try_parse_from(line.split(' ')).expect("usage").campaign {
            Campaign::Broker(args) => args.kinds(),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_swap_goes_on_to_another_server_of_the_same_kind_unless_others_are_named() {
        Cli::command().debug_assert();
        assert_eq!(kinds("x broker --broker kafka --swap-to nats"), [Kind::Kafka], "nothing is swapped");
        assert_eq!(kinds("x broker --broker kafka --swaps 1"), [Kind::Kafka, Kind::Kafka]);
        let named = kinds("x broker --broker kafka --swaps 2 --swap-to nats --swap-to memory");
        assert_eq!(named, [Kind::Kafka, Kind::Nats, Kind::Memory]);
    }
}
