//! What one database left at a broker, and another one that finds it there.

mod late;

use late::Late;
use oms_chaos::{
    blow::Blow,
    round::{Round, play},
    server::{Forgetful, Server},
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_database_left_at_a_broker_is_not_taken_for_what_is_owed() {
    let [used, other]: [Arc<dyn Server>; 2] =
        [Arc::new(Forgetful::default()), Arc::new(Forgetful::default())];
    // The house moves away from the first server when its last order has come, and leaves there what was on its way.
    let round = Round { seed: 3, orders: 60, blows: vec![Blow::Swap], ..Round::default() };
    let first = play(&round, &[used.clone(), other], |_| {}).await.expect("it is played");
    assert_eq!(first.violations, [""; 0]);
    // A new database counts its packs from the beginning too, and its lanes hear late enough to be owed some by then.
    let round = Round { seed: 4, orders: 60, ..Round::default() };
    let second = play(&round, &[Arc::new(Late::new(used))], |_| {}).await.expect("it is played");
    assert_eq!(second.violations, [""; 0]);
    assert!(second.duplicates > 0, "something was left");
}
