//! The command line of the campaign.

use clap::{Parser, ValueEnum};
use oms_servers::Kind;
use std::path::PathBuf;

/// A broker that the suite runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Named {
    /// The one in this process
    Memory,
    /// Apache Kafka
    Kafka,
    /// NATS JetStream
    Nats,
    /// RabbitMQ
    Rabbitmq,
    /// RabbitMQ 4
    Rabbitmq4,
}

impl Named {
    /// Its server; the one in this process needs none.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Memory => None,
            Self::Kafka => Some(Kind::Kafka),
            Self::Nats => Some(Kind::Nats),
            Self::Rabbitmq => Some(Kind::RabbitMq),
            Self::Rabbitmq4 => Some(Kind::RabbitMq4),
        }
    }
}

/// Runs the broker suite again and again over real servers, which it installs, starts and disturbs itself.
///
/// It ends with 1 when a check failed, in any round.
#[derive(Clone, Debug, Parser)]
#[command(name = "oms-conformance", version)]
pub struct Args {
    /// Over which brokers, one after the other
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["memory", "kafka", "nats", "rabbitmq"])]
    pub broker: Vec<Named>,
    /// How often
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Only these checks, by id, to look for the cause of a failure
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    pub only: Vec<String>,
    /// Where servers are installed and keep their data
    #[arg(long, value_name = "FOLDER", default_value = "target/servers")]
    pub servers: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
        let args = Args::try_parse_from(["x", "--broker", "kafka,memory", "--rounds", "20"]).unwrap();
        assert_eq!((args.broker, args.rounds), (vec![Named::Kafka, Named::Memory], 20));
        assert_eq!(
            Args::try_parse_from(["x", "--rounds", "0"]).map_err(|error| error.exit_code()).err(),
            Some(2)
        );
    }
}
