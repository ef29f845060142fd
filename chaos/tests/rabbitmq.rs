//! Whole orders over a real RabbitMQ server that is killed, wiped and left behind.

#![expect(clippy::expect_used, reason = "a test that cannot go on stops")]

mod battered;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_over_rabbitmq_while_its_server_is_killed_five_times() {
    battered::killed(oms_servers::Kind::RabbitMq).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_when_rabbitmq_forgets_everything_and_when_another_broker_takes_over() {
    battered::forgotten(oms_servers::Kind::RabbitMq).await;
}
