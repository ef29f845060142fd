//! The broker suite over NATS JetStream.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_passes_every_check_that_applies_to_it() {
    suite::passes(&suite::start(oms_servers::Kind::Nats).await, "NATS JetStream").await;
}
