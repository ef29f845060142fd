//! The servers of the brokers that were built in, and of the store that is one.

use crate::{
    fault::Fault,
    house::{Keep, postgres},
    meter::{used_by, used_by_all},
};
use oms_servers::{Kind, Server};
use oms_sqlite::Synchronous;
use std::{path::Path, time::Duration};

/// Every broker that was built in; `None` is the one in this process.
pub(super) fn all() -> Vec<Option<Kind>> {
    let kinds = [
        (Kind::Kafka, cfg!(feature = "kafka")),
        (Kind::Nats, cfg!(feature = "nats")),
        (Kind::RabbitMq, cfg!(feature = "rabbitmq")),
    ];
    let built_in = kinds.into_iter().filter(|(_, built_in)| *built_in).map(|(kind, _)| Some(kind));
    std::iter::once(None).chain(built_in).collect()
}

/// A broker, and the server that it needs.
pub(super) struct Served {
    pub(super) kind: Option<Kind>,
    pub(super) url: String,
    server: Option<Server>,
}

impl Served {
    pub(super) fn start(kind: Option<Kind>, root: &Path) -> Result<Self, Fault> {
        let start = |kind| Server::start(kind, root, &mut |line| eprintln!("{line}"));
        let server = kind.map(start).transpose().map_err(Fault::measured)?;
        let url = server.as_ref().map_or_else(|| "memory://".to_owned(), Server::url);
        Ok(Self { kind, url, server })
    }

    /// The processor time that the server has used so far.
    pub(super) fn used(&self) -> Option<Duration> {
        used_by(self.server.as_ref()?.pid()?)
    }
}

/// A PostgreSQL server, for houses that keep what they know in it.
pub(super) struct Kept(Server);

impl Kept {
    pub(super) fn start(root: &Path) -> Result<Self, Fault> {
        postgres(root).map(Self)
    }

    /// Each way to keep what a house knows, with the server that it takes.
    pub(super) fn both(&self) -> [(Keep, Option<&Self>); 2] {
        [(Keep::Sqlite(Synchronous::Full), None), (Keep::Postgres(self.0.url()), Some(self))]
    }

    /// The processor time that all its processes have used so far.
    pub(super) fn used(&self) -> Duration {
        used_by_all(self.0.data())
    }
}
