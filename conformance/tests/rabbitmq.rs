//! The broker suite over RabbitMQ.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_passes_every_check_that_applies_to_it() {
    suite::passes(oms_servers::Kind::RabbitMq, &["G3", "B1", "B2", "B3", "M2", "M3"]).await;
}
