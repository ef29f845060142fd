//! The broker suite over the broker of this process, on the system's clock.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_of_a_process_passes_every_check_that_applies_to_it() {
    suite::passes(&oms_conformance::InProcess::default(), "in process").await;
}
