//! The servers of the brokers that were built in.

use crate::{fault::Fault, meter::used_by};
use oms_servers::{Kind, Server};
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
