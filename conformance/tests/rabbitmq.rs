//! The broker suite over RabbitMQ.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod suite;

use oms_broker::{BrokerError, ConnectError, connect};
use oms_servers::{Kind, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_passes_every_check_that_applies_to_it() {
    suite::passes(&suite::start(Kind::RabbitMq).await, "RabbitMQ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_enter_is_refused_at_once_and_who_finds_nobody_is_told_so() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
    let start = move || Server::start(Kind::RabbitMq, &root, &mut |line| eprintln!("{line}"));
    let server = tokio::task::spawn_blocking(start).await.expect("its thread ends").expect("it starts");
    let address = server.address();
    let said = |url: String| async move {
        match connect(&url).await {
            Ok(_) => panic!("{url} was let in"),
            Err(ConnectError::Broker(error)) => error,
            Err(other) => panic!("{other}"),
        }
    };
    let wrong = said(format!("amqp://guest:secret@{address}")).await;
    assert!(matches!(&wrong, BrokerError::Refused { why, .. } if why.contains("password")), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("secret"), "{wrong:?}");
    let nowhere = said(format!("amqp://guest:guest@{address}/nowhere")).await;
    assert!(
        matches!(&nowhere, BrokerError::Refused { why, .. } if why.contains("virtual host")),
        "{nowhere:?}"
    );
    let prefix = said(format!("amqp://guest:guest@{address}?prefix=a.b")).await;
    assert!(matches!(&prefix, BrokerError::Refused { why, .. } if why.contains("prefix")), "{prefix:?}");
    let nobody = said("amqp://guest:guest@127.0.0.1:1?timeout=2".to_owned()).await;
    assert!(matches!(nobody, BrokerError::Unavailable { .. }), "{nobody:?}");
    let second = connect(&format!("amqp://guest:guest@127.0.0.1:1,{address}")).await;
    assert!(second.is_ok(), "the second server that is named was not asked");
}
