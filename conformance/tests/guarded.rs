//! Servers that ask who comes: the right papers are taken, the wrong ones are refused at once and for good.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

use oms_broker::{BrokerError, ConnectError, Topology, connect};
use oms_servers::{Guarded, Kind};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// A refusal is no time-out: it comes long before the 10 s that a connection may take.
const AT_ONCE: Duration = Duration::from_secs(8);

async fn start(kind: Kind) -> Guarded {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let start = move || Guarded::start(kind, &root, &mut |line| eprintln!("{line}"));
    tokio::task::spawn_blocking(start).await.expect("its thread ends").expect("it starts")
}

fn topology() -> Topology {
    let hears = BTreeMap::from([("stock".into(), ["orders".into()].into())]);
    Topology { lanes: 2, hears, ..Topology::default() }
}

fn paper(server: &Guarded, name: &str) -> String {
    server.paper(name).display().to_string()
}

/// Enters, and does what needs rights.
async fn enters(url: &str) {
    let broker = connect(url).await.expect(url);
    broker.declare(&topology()).await.expect(url);
    broker.probe().await.expect(url);
    broker.shutdown(AT_ONCE).await.expect(url);
}

/// Is refused on the way in or where rights are needed, with `word` in the reason and no password.
async fn is_refused(url: &str, word: &str) {
    let attempt = async {
        match connect(url).await {
            Ok(broker) => broker.declare(&topology()).await.err(),
            Err(ConnectError::Broker(error)) => Some(error),
            Err(_) => None,
        }
    };
    let error = tokio::time::timeout(AT_ONCE, attempt).await.expect(url).expect(url);
    let said = format!("{error:?}");
    assert!(matches!(error, BrokerError::Refused { .. }) && said.contains(word), "{url}: {said}");
    assert!(!said.contains(Guarded::PASSWORD) && !said.contains("not-the-word"), "{url}: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_takes_the_right_papers_and_refuses_the_wrong_ones_for_good() {
    let server = start(Kind::Kafka).await;
    let (user, guest, word) = (Guarded::USER, Guarded::GUEST, Guarded::PASSWORD);
    let (at, ours) = (server.address(), format!("ca={}", paper(&server, "ours.pem")));
    let others = format!("ca={}", paper(&server, "others.pem"));
    for mechanism in ["plain", "scram-sha-256", "scram-sha-512"] {
        enters(&format!("kafka://{user}:{word}@{at}?sasl={mechanism}&{ours}")).await;
        let wrong = format!("kafka://{user}:not-the-word@{at}?sasl={mechanism}&{ours}");
        is_refused(&wrong, "password").await;
    }
    is_refused(&format!("kafka://{guest}:{word}@{at}?{ours}"), "allow this user").await;
    is_refused(&format!("kafka://{user}:{word}@{at}?{others}"), "certificate").await;

    let at = server.certificate_address();
    let shown = |name: &str| {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        format!("certificate={}&key={}", paper(&server, &certificate), paper(&server, &key))
    };
    enters(&format!("kafka://{at}?{ours}&{}", shown("client"))).await;
    is_refused(&format!("kafka://{at}?{ours}&{}", shown("stranger")), "certificate").await;
    is_refused(&format!("kafka://{at}?{ours}"), "certificate").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_takes_the_right_papers_and_refuses_the_wrong_ones_for_good() {
    let server = start(Kind::Nats).await;
    let (user, guest, word) = (Guarded::USER, Guarded::GUEST, Guarded::PASSWORD);
    let (at, ours) = (server.address(), format!("ca={}", paper(&server, "ours.pem")));
    let others = format!("ca={}", paper(&server, "others.pem"));
    enters(&format!("natss://{user}:{word}@{at}?{ours}")).await;
    enters(&format!("natss://{at}?{ours}&nkey={}", paper(&server, "client.nkey"))).await;
    is_refused(&format!("natss://{user}:not-the-word@{at}?{ours}"), "password").await;
    is_refused(&format!("natss://{at}?{ours}"), "user").await;
    is_refused(&format!("natss://{at}?{ours}&nkey={}", paper(&server, "stranger.nkey")), "nkey").await;
    is_refused(&format!("natss://{at}?{ours}&nkey={}", paper(&server, "client.key")), "nkey").await;
    is_refused(&format!("natss://{at}?{ours}&nkey=/no/such/file"), "cannot be read").await;
    is_refused(&format!("natss://{user}:{word}@{at}?{others}"), "certificate").await;
    is_refused(&format!("natss://{guest}:{word}@{at}?{ours}"), "give the user").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_takes_the_right_papers_and_refuses_the_wrong_ones_for_good() {
    let server = start(Kind::RabbitMq).await;
    let (user, guest, word) = (Guarded::USER, Guarded::GUEST, Guarded::PASSWORD);
    let (at, ours) = (server.address(), format!("ca={}", paper(&server, "ours.pem")));
    let others = format!("ca={}", paper(&server, "others.pem"));
    let shown = |name: &str| {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        format!("certificate={}&key={}", paper(&server, &certificate), paper(&server, &key))
    };
    enters(&format!("amqps://{user}:{word}@{at}?{ours}")).await;
    enters(&format!("amqps://{at}?external=true&{ours}&{}", shown("client"))).await;
    is_refused(&format!("amqps://{user}:not-the-word@{at}?{ours}"), "password").await;
    is_refused(&format!("amqps://{at}?external=true&{ours}&{}", shown("stranger")), "certificate").await;
    is_refused(&format!("amqps://{user}:{word}@{at}?{others}"), "certificate").await;
    is_refused(&format!("amqps://{guest}:{word}@{at}?{ours}"), "give the user").await;
}
