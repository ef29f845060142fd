//! Orders that fail: each undoes what it did, keeps nothing, and says why.

use crate::{
    audit::{never_says, says, shelf},
    house::World,
    shop::{DUE, open, order, place, stock, usual},
};
use oms_core::{event::public::Status, gateway::simulated::Draws};
use std::time::Duration;

const ALL: u32 = 1_000_000;

#[test]
fn an_unknown_sku_and_an_empty_shelf_fail_the_order_before_anybody_pays() {
    let world = World::kind();
    world.play(async |oms| {
        let unknown = place(&oms, usual("card"), "unknown").await;
        let said = ["OrderPlaced", "StockRejected", "OrderStockRejected", "OrderFailed"];
        world.ends(&oms, &unknown, Status::Failed, &said).await;
        stock(&oms, "A", 2).await;
        let short = place(&oms, usual("upi"), "short").await;
        world.ends(&oms, &short, Status::Failed, &said).await;
        for id in [&unknown, &short] {
            never_says(&oms, id, &["PaymentRequested", "ShipmentRequested"]).await;
        }
        assert_eq!(world.ledger().total().authorised, 0);
    });
}

#[test]
fn a_partly_missing_order_holds_nothing_at_all() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 10).await;
        stock(&oms, "B", 1).await;
        let id = place(&oms, order("card", &[("A", 4, 100), ("B", 2, 100)]), "1").await;
        world.ends(&oms, &id, Status::Failed, &["StockRejected", "OrderFailed"]).await;
        assert_eq!((shelf(&oms, "A").await.taken, shelf(&oms, "B").await.taken), (0, 0));
        let id = place(&oms, order("card", &[("A", 10, 100), ("B", 1, 100)]), "2").await;
        world.ends(&oms, &id, Status::Completed, &[]).await;
    });
}

#[test]
fn a_declined_card_gives_the_stock_back() {
    let world = World::new(Draws::new(1).declining(ALL));
    world.play(async |oms| {
        let id = open(&oms, usual("card")).await;
        let said = [
            "StockReserved",
            "PaymentDeclined",
            "OrderPaymentDeclined",
            "OrderFailing",
            "StockReleased",
            "OrderFailed",
        ];
        world.ends(&oms, &id, Status::Failed, &said).await;
        assert_eq!(shelf(&oms, "A").await.taken, 0);
        never_says(&oms, &id, &["PaymentAuthorized", "ShipmentRequested"]).await;
    });
}

#[test]
fn a_doubtful_upi_payment_that_is_declined_in_the_end_fails_only_then() {
    let world = World::new(Draws::new(1).wavering(ALL, 0));
    world.play(async |oms| {
        let id = open(&oms, usual("upi")).await;
        world.sleep(Duration::from_secs(30)).await;
        assert_eq!(
            oms.status(&id).await.expect("reads"),
            Some(Status::Pending),
            "failing, until it is settled"
        );
        let said = [
            "PaymentDeclined",
            "OrderPaymentDeclined",
            "OrderFailing",
            "PaymentCancelRequested",
            "PaymentDeclined",
            "PaymentNotStarted",
            "OrderFailed",
        ];
        let summary = world.ends(&oms, &id, Status::Failed, &said).await;
        assert_eq!(summary.funds.captured, 0);
    });
}

#[test]
fn a_doubtful_upi_payment_that_succeeds_late_is_given_back() {
    let world = World::new(Draws::new(1).wavering(ALL, ALL));
    world.play(async |oms| {
        let id = open(&oms, usual("upi")).await;
        let said = [
            "PaymentDeclined",
            "OrderFailing",
            "PaymentCancelRequested",
            "PaymentCaptured",
            "RefundRequested",
            "PaymentRefunded",
            "OrderPaymentUndone",
            "OrderFailed",
        ];
        let summary = world.ends(&oms, &id, Status::Failed, &said).await;
        says(&oms, &id, &["PaymentCaptured", "OrderPaymentCapturedLate", "OrderFailed"]).await;
        assert_eq!((summary.funds.captured, summary.funds.refunded), (DUE.into(), DUE.into()));
        assert_eq!(shelf(&oms, "A").await.taken, 0);
    });
}

/// A world whose provider needs longer than the saga waits.
fn slow(draws: Draws) -> World {
    let mut world = World::new(draws);
    world.times.payment = Duration::from_secs(5);
    world.windows.approval = Duration::from_secs(300);
    world
}

#[test]
fn a_payment_that_times_out_is_pending_until_it_is_settled() {
    for (draws, end) in [
        (Draws::new(1), ["PaymentCaptured", "PaymentRefunded", "OrderFailed"]),
        (Draws::new(1).declining(ALL), ["PaymentDeclined", "PaymentNotStarted", "OrderFailed"]),
    ] {
        let world = slow(draws);
        world.play(async |oms| {
            let id = open(&oms, usual("upi")).await;
            world.sleep(Duration::from_secs(200)).await;
            let pending = oms.order(&id).await.expect("reads").expect("placed");
            assert_eq!((pending.status, pending.phase), (Status::Pending, oms_core::order::Phase::Failing));
            never_says(&oms, &id, &["OrderFailed", "PaymentNotStarted", "PaymentDeclined"]).await;
            let said =
                ["PaymentActionRequired", "OrderStepTimedOut", "OrderFailing", "PaymentCancelRequested"];
            world.ends(&oms, &id, Status::Failed, &[&said[..], &end[..]].concat()).await;
        });
    }
}

#[test]
fn a_provider_that_hangs_is_asked_and_never_charges_twice() {
    let world = World::new(Draws::new(3).hanging(ALL));
    world.play(async |oms| {
        stock(&oms, "A", 30).await;
        for method in ["card", "upi", "cod"] {
            let id = place(&oms, usual(method), method).await;
            world.ends(&oms, &id, Status::Completed, &["OrderCompleted"]).await;
        }
        assert!(oms.metrics().unanswered > 6, "it did hang: {:?}", oms.metrics());
    });
    assert_eq!(world.ledger().charged_twice(), 0);
    assert_eq!(world.ledger().total().repeated, 0, "it was asked, and told nothing twice");
}

#[test]
fn a_refused_parcel_undoes_payment_and_stock() {
    let undo = |events: &[&'static str]| {
        let shipping = ["ShipmentFailed", "OrderShipmentFailed", "OrderFailing"];
        [&shipping[..], events, &["OrderFailed"]].concat()
    };
    for (method, events) in [
        ("card", &["PaymentCancelRequested", "PaymentVoided", "OrderPaymentUndone"][..]),
        ("upi", &["PaymentCancelRequested", "RefundRequested", "PaymentRefunded"][..]),
        ("cod", &["PaymentCancelRequested", "PaymentNotStarted"][..]),
    ] {
        let world = World::new(Draws::new(1).refusing(ALL));
        world.play(async |oms| {
            let id = open(&oms, usual(method)).await;
            world.ends(&oms, &id, Status::Failed, &undo(events)).await;
            says(&oms, &id, &["ShipmentFailed", "StockReleased", "OrderStockReleased"]).await;
            assert_eq!((shelf(&oms, "A").await.taken, shelf(&oms, "A").await.on_hand()), (0, 10));
        });
        let told = world.ledger().total();
        assert_eq!((told.authorised, told.captured), (told.voided, told.refunded));
        assert_eq!(told.dispatches, 0);
    }
}

#[test]
fn a_method_that_is_not_offered_fails_the_order() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("barter")).await;
        world.ends(&oms, &id, Status::Failed, &["PaymentDeclined", "StockReleased", "OrderFailed"]).await;
    });
}

#[test]
fn a_notice_that_cannot_be_sent_fails_nothing() {
    let world = World::new(Draws::new(1).losing_mail(ALL));
    world.play(async |oms| {
        let id = open(&oms, usual("card")).await;
        world.ends(&oms, &id, Status::Completed, &["NotificationFailed", "OrderCompleted"]).await;
        never_says(&oms, &id, &["NotificationSent"]).await;
    });
}
