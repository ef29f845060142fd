//! The broker suite over Apache Kafka, and what is peculiar to it.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod suite;

use oms_broker::{Broker, BrokerError, Consumer, Topology, connect};
use oms_core::{
    broker::{Publish, Settlement},
    message::{GroupLane, Limit, Pack, PackId},
};
use oms_servers::{Kind, Server};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{path::Path, sync::Arc, time::Duration};

const WIDE: Limit = Limit { messages: 100, bytes: 1 << 20 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_passes_every_check_that_applies_to_it() {
    suite::passes(&suite::start(Kind::Kafka).await, "Kafka").await;
}

/// Runs what blocks where that harms nobody.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("its thread ends")
}

async fn server() -> Server {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let started = aside(move || Server::start(Kind::Kafka, &root, &mut |line| eprintln!("{line}")));
    started.await.expect("the server starts")
}

async fn open(server: &Server, options: &str) -> Arc<dyn Broker> {
    connect(&format!("{}?{options}", server.url())).await.expect("it can be reached")
}

fn topology() -> Topology {
    let hears = [("payment".into(), ["order".into()].into())].into();
    Topology { hears, lanes: 1, ..Topology::default() }
}

async fn declared(server: &Server, options: &str) -> Arc<dyn Broker> {
    let broker = open(server, options).await;
    broker.declare(&topology()).await.expect("it is declared");
    broker
}

async fn send(broker: &dyn Broker, numbers: std::ops::Range<u8>) {
    let packs = numbers.map(|number| Pack {
        id: PackId { sender: GroupLane::new("sender", 0), position: u64::from(number) },
        topic: "order".into(),
        lane: 0,
        keys: vec![0],
        bytes: vec![number].into(),
    });
    let answers = broker.publish(packs.collect()).await.expect("it is tried");
    assert!(answers.iter().all(|answer| *answer == Publish::Confirmed), "{answers:?}");
}

async fn join(broker: &dyn Broker) -> Result<Box<dyn Consumer>, BrokerError> {
    broker.subscribe(&GroupLane::new("payment", 0), WIDE).await
}

/// Reads and acks until nothing more waits.
async fn read(consumer: &mut dyn Consumer) -> Result<Vec<u8>, BrokerError> {
    let mut read = Vec::new();
    loop {
        let batch = consumer.next_batch(WIDE).await?;
        if batch.deliveries.is_empty() && batch.caught_up {
            consumer.flush().await?;
            return Ok(read);
        }
        for delivery in batch.deliveries {
            read.push(delivery.bytes[0]);
            consumer.settle(delivery.token, Settlement::Ack).expect("it is ours");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_another_size_or_with_fewer_copies_is_refused_and_both_are_listed() {
    let server = server().await;
    declared(&server, "prefix=shop-").await;
    let demanding = open(&server, "prefix=shop-&copies=3&max-bytes=5000000").await;
    let refusal = demanding.declare(&topology()).await.expect_err("it differs").to_string();
    assert!(
        refusal.contains("1 copies, not 3") && refusal.contains("max.message.bytes=1000512"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn installations_with_prefixes_of_their_own_share_a_server() {
    let server = server().await;
    let (one, two) = (declared(&server, "prefix=one-").await, declared(&server, "prefix=two-").await);
    send(&*one, 0..3).await;
    assert_eq!(read(&mut *join(&*two).await.unwrap()).await.unwrap(), [0_u8; 0]);
    assert_eq!(read(&mut *join(&*one).await.unwrap()).await.unwrap(), [0, 1, 2]);
    let nobody = open(&server, "prefix=three-").await;
    assert!(matches!(join(&*nobody).await.err(), Some(BrokerError::Refused { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acked_out_of_order_does_not_come_to_another_process_either() {
    let server = server().await;
    let broker = declared(&server, "").await;
    send(&*broker, 0..9).await;
    let mut first = join(&*broker).await.unwrap();
    let held = first.next_batch(WIDE).await.unwrap().deliveries;
    assert_eq!(held.len(), 9);
    for delivery in held {
        if [0, 2, 5, 8].contains(&delivery.bytes[0]) {
            first.settle(delivery.token, Settlement::Ack).unwrap();
        }
    }
    first.flush().await.unwrap();
    let other = open(&server, "").await;
    assert_eq!(other.lag(&GroupLane::new("payment", 0)).await.unwrap(), 5);
    assert_eq!(read(&mut *join(&*other).await.unwrap()).await.unwrap(), [1, 3, 4, 6, 7]);
    assert_eq!(other.lag(&GroupLane::new("payment", 0)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_for_a_while_costs_no_lane() {
    let mut server = server().await;
    let broker = declared(&server, "").await;
    let mut reader = join(&*broker).await.unwrap();
    assert_eq!(read(&mut *reader).await.unwrap(), [0_u8; 0]);
    server.pause().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.resume().unwrap();
    send(&*broker, 0..3).await;
    assert_eq!(read(&mut *reader).await.unwrap(), [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_is_there_after_the_server_was_killed_and_lanes_are_joined_again() {
    let mut server = server().await;
    let broker = declared(&server, "timeout=5").await;
    let mut reader = join(&*broker).await.unwrap();
    assert_eq!(read(&mut *reader).await.unwrap(), [0_u8; 0]);
    send(&*broker, 0..9).await;
    let server = aside(move || {
        server.kill().expect("it is killed");
        // Longer than a reader believes in a connection that broke.
        std::thread::sleep(Duration::from_secs(4));
        server.start_again().map(|()| server)
    });
    let _server = server.await.expect("it starts again");
    let mut heard = Vec::new();
    let lost = loop {
        match read(&mut *reader).await {
            Ok(more) => heard.extend(more),
            Err(error) => break error,
        }
    };
    assert!(matches!(lost, BrokerError::Unavailable { .. }), "{lost}");
    drop(reader);
    while heard.len() < 9 {
        broker.declare(&topology()).await.expect("it is back");
        heard.extend(read(&mut *join(&*broker).await.unwrap()).await.unwrap());
    }
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard, (0..9).collect::<Vec<u8>>());
}

/// Has the brokers forget what is before an offset, as retention does.
async fn forget(server: &Server, before: i64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", server.address().to_string());
    let admin: AdminClient<DefaultClientContext> = config.create().expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("order", 0, Offset::Offset(before)).expect("an offset");
    admin.delete_records(&list, &AdminOptions::new()).await.expect("they are gone");
}

/// Another program publishes in a transaction, the end of which takes an offset that nobody ever reads.
fn publish_in_a_transaction(address: &str, number: u8) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("transactional.id", "another-program");
    let (producer, patience): (BaseProducer, _) =
        (config.create().expect("a client"), Duration::from_secs(30));
    producer.init_transactions(patience).expect("transactions");
    producer.begin_transaction().expect("begun");
    let record = BaseRecord::<(), [u8]>::to("order").partition(0).payload(std::slice::from_ref(&number));
    producer.send(record).map_err(|(error, _)| error).expect("it is taken");
    producer.commit_transaction(patience).expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_that_nobody_will_ever_read_are_passed_over_and_nothing_else_is() {
    let server = server().await;
    let broker = declared(&server, "").await;
    send(&*broker, 0..4).await;
    forget(&server, 2).await;
    let address = server.address().to_string();
    aside(move || publish_in_a_transaction(&address, 9)).await;
    send(&*broker, 4..6).await;
    let mut reader = join(&*broker).await.unwrap();
    assert_eq!(read(&mut *reader).await.unwrap(), [2, 3, 9, 4, 5]);
    send(&*broker, 6..7).await;
    assert_eq!(read(&mut *reader).await.unwrap(), [6]);
}
