//! What an order costs in rows: the whole house over a file whose triggers count what each table takes.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use kit::{counter::Counter, house::House};
use std::time::Duration;
use tempfile::TempDir;

/// How many orders come before the first that counts.
const WARM: usize = 40;

/// A card order of two lines, one stocked, until it is completed and nobody is owed anything.
async fn cost(orders: usize) -> (Counter, f64) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("orders.db");
    Counter::install(&path);
    let house = House::open(&path).await;
    house.stock("A", 1_000_000).await;
    // Every lane has been used before: what it takes once is no order's cost.
    house.place(0..WARM).await;
    house.rest().await;
    let before = Counter::read(&path);
    let (jobs, commits) = house.spent().await;
    house.place(WARM..WARM + orders).await;
    house.rest().await;
    let (turns, spent) = house.spent().await;
    let counted = Counter::read(&path).since(&before).per(orders);
    house.close().await;
    (counted, (turns - jobs) as f64 / (spent - commits) as f64)
}

fn played(orders: usize) -> Counter {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (counted, jobs) = runtime.expect("a runtime").block_on(async {
        tokio::time::timeout(Duration::from_secs(120), cost(orders)).await.expect("the house comes to rest")
    });
    println!("{orders} at once: {jobs:.2} turns in a commit\n{counted}");
    counted
}

#[test]
fn one_order_in_flight_keeps_to_its_rows() {
    let counted = played(1);
    assert!(counted.rows() <= 76.0, "{counted}");
}

#[test]
fn a_hundred_orders_at_once_share_their_packs() {
    let counted = played(100);
    assert!(counted.rows() <= 44.0, "{counted}");
}
