//! The harness itself, over a server in this process that forgets everything whenever it dies.

use oms_chaos::{
    blow::Blow,
    round::{Round, play},
    server::{Forgetful, Server},
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_over_a_server_that_dies_forgets_and_is_swapped() {
    let servers: Vec<Arc<dyn Server>> = vec![Arc::new(Forgetful::default()), Arc::new(Forgetful::default())];
    let blows = vec![Blow::Kill, Blow::Swap, Blow::Wipe, Blow::Kill, Blow::Swap, Blow::Wipe];
    let round = Round { seed: 7, orders: 400, blows, ..Round::default() };
    let came_to = play(&round, &servers, |_| {}).await.expect("it is played");
    assert_eq!(came_to.violations, [""; 0]);
    assert_eq!(came_to.orders, 400);
    let ends: Vec<&str> = came_to.by_status.keys().map(String::as_str).collect();
    assert_eq!(ends, ["cancelled", "completed", "failed"], "every end was met");
    assert!(came_to.outages > 0, "the blows were felt");
}
