//! The broker suite over Apache Kafka.

mod suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_passes_every_check_that_applies_to_it() {
    suite::passes(oms_servers::Kind::Kafka, &["G3", "B2"]).await;
}
