//! The servers that can be had, by name.

use std::fmt;

/// A server that can be installed and started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Apache Kafka 4.1, one node that is broker and controller.
    Kafka,
    /// NATS 2.15 with JetStream.
    Nats,
    /// PostgreSQL as it is on this machine, else as Debian packages it (15 in Debian 12).
    Postgres,
    /// RabbitMQ as Debian packages it (3.10 in Debian 12).
    RabbitMq,
    /// RabbitMQ as Debian 13 packages it (4.0), in a folder that is root's root: for campaigns.
    RabbitMq4,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 5] = [Self::Kafka, Self::Nats, Self::Postgres, Self::RabbitMq, Self::RabbitMq4];

    /// Those that tests use; the others are for campaigns.
    pub const USUAL: [Self; 4] = [Self::Kafka, Self::Nats, Self::Postgres, Self::RabbitMq];

    /// Finds a kind by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Gives the name, as it is written in commands and folders.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::RabbitMq => "rabbitmq",
            Self::RabbitMq4 => "rabbitmq4",
        }
    }

    /// Writes the URL of such a server on a loopback port.
    pub(crate) fn url(self, port: u16) -> String {
        match self {
            Self::Kafka => format!("kafka://127.0.0.1:{port}"),
            Self::Nats => format!("nats://127.0.0.1:{port}"),
            Self::Postgres => format!("postgres://oms@127.0.0.1:{port}/postgres"),
            Self::RabbitMq | Self::RabbitMq4 => format!("amqp://guest:guest@127.0.0.1:{port}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kafka => "Kafka",
            Self::Nats => "NATS",
            Self::Postgres => "PostgreSQL",
            Self::RabbitMq | Self::RabbitMq4 => "RabbitMQ",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("Kafka"), None);
    }
}
