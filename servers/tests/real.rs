//! Every kind of server over its whole life; what is missing is installed.
#![cfg(feature = "server")]

use std::net::TcpStream;
use std::path::Path;

use oms_servers::{Kind, Server, ServerError};

/// How many processes run in a folder or below.
fn running_below(folder: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let places = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
    places.filter(|place| place.starts_with(folder)).count()
}

fn a_whole_life(kind: Kind) -> Result<(), ServerError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let mut server = Server::start(kind, &root, &mut |line| println!("{line}"))?;
    let url = server.url();
    let first = server.footprint();

    server.pause()?;
    server.resume()?;
    server.kill()?;
    assert!(first.is_some_and(|it| !it.is_alive()));
    assert_eq!(running_below(server.data()), 0, "what it started is gone with it");
    assert!(TcpStream::connect(server.address()).is_err());
    assert!(server.pause().is_err());

    server.start_again()?;
    server.stop()?;
    server.wipe()?;
    assert_eq!(server.url(), url);

    let last = server.footprint();
    drop(server);
    assert!(last.is_some_and(|it| !it.is_alive()));
    Ok(())
}

#[test]
fn nats_is_killed_started_wiped_and_gone() {
    a_whole_life(Kind::Nats).unwrap();
}

#[test]
fn kafka_is_killed_started_wiped_and_gone() {
    a_whole_life(Kind::Kafka).unwrap();
}

#[test]
fn postgres_is_killed_started_wiped_and_gone() {
    a_whole_life(Kind::Postgres).unwrap();
}

#[test]
fn rabbitmq_is_killed_started_wiped_and_gone() {
    a_whole_life(Kind::RabbitMq).unwrap();
}
