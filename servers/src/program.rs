//! What runs: one command line, with the files it needs written beforehand.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::papers::Papers;
use crate::port::Ports;
use crate::{Kind, ServerError, kafka, nats, papers, postgres, rabbitmq, rabbitmq4};

/// Writes the files of a server below `data`, and gives the command that runs it.
///
/// # Errors
/// [`ServerError`], when a file cannot be written, or a first step fails.
pub(crate) fn command(
    kind: Kind,
    home: &Path,
    data: &Path,
    ports: Ports,
    papers: Option<&Papers>,
) -> Result<Command, ServerError> {
    if let Some(papers) = papers {
        papers.write(data)?;
        if kind == Kind::Postgres {
            postgres::close_key(&papers::folder(data))?;
        }
    }
    match kind {
        Kind::Kafka => kafka::command(home, data, ports, papers.is_some()),
        Kind::Nats => nats::command(home, data, ports, papers),
        Kind::Postgres => postgres::command(home, data, ports, papers.is_some()),
        Kind::RabbitMq => rabbitmq::command(home, data, ports, papers.is_some()),
        Kind::RabbitMq4 => rabbitmq4::command(home, data, ports, papers.is_some()),
    }
}

/// Says whether the server on `port` answers in its own protocol; an open port alone is no answer.
pub(crate) fn answers(kind: Kind, port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let patience = Duration::from_millis(500);
    let asked = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        match kind {
            Kind::Kafka => kafka::answers(&mut stream),
            Kind::Nats => nats::answers(&mut stream),
            Kind::Postgres => postgres::answers(&mut stream),
            Kind::RabbitMq | Kind::RabbitMq4 => rabbitmq::answers(&mut stream),
        }
    };
    asked().unwrap_or(false)
}
