//! Whole orders through the house, on a virtual clock.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;

use house::{World, order, place, stock};
use oms_core::{event::public::Status, gateway::simulated::Draws};

#[test]
fn a_card_order_is_completed_captured_once_and_shipped() {
    let world = World::new(Draws::new(1));
    let (summary, report, count, metrics) = world.play(async |oms| {
        stock(&oms, "A", 10).await;
        let id = place(&oms, order("card", &[("A", 3, 250), ("POST", 1, 1_800)]), "1").await;
        let summary = oms.wait_until_settled(&id).await.expect("settles");
        println!("{}", oms.story(&id).await.expect("a story"));
        (
            summary,
            oms.check(None, false).await.expect("checks"),
            oms.count().await.expect("counts"),
            oms.metrics(),
        )
    });
    assert_eq!(summary.status, Status::Completed);
    assert_eq!(report.violations, []);
    println!("{count:?} {metrics:?}");
}
