//! Cancelled orders: stopped at any moment before the parcel leaves, refused afterwards, and never half of each.

use crate::{
    audit::{never_says, says, shelf},
    house::World,
    pace::give_way,
    shop::{DUE, held, open, usual},
};
use oms_core::{
    event::public::Status,
    gateway::{
        journal::{Fact, Journal as _},
        simulated::Draws,
    },
    id::OrderId,
    oms::Oms,
    order::Phase,
};
use std::time::Duration;

const METHODS: [&str; 3] = ["card", "upi", "cod"];

/// Asks, and gives whether it was accepted.
async fn cancel(oms: &Oms, id: &OrderId) -> bool {
    let reply = oms.cancel(id, "c-1", "changed my mind").await.expect("asked");
    assert_eq!(reply.accepted, reply.reasons.is_empty(), "a refusal has its reasons");
    reply.accepted
}

async fn phase(oms: &Oms, id: &OrderId) -> Phase {
    oms.order(id).await.expect("reads").expect("placed").phase
}

/// Either it was stopped and nothing is left of it, or it went on as if nobody had asked.
async fn stopped_or_sent(world: &World, oms: &Oms, id: &OrderId, accepted: bool) -> Status {
    let end = world.end(oms, id).await;
    let shelf = shelf(oms, "A").await;
    match end.status {
        Status::Cancelled => {
            assert!(accepted);
            assert_eq!((end.kept_minor, shelf.taken, shelf.on_hand(), end.units.shipped), (0, 0, 10, 0));
            assert_eq!(world.ledger().total().dispatches, 0);
        }
        Status::Completed => {
            assert_eq!((end.kept_minor, shelf.on_hand()), (DUE.into(), 7));
            if accepted {
                says(oms, id, &["OrderCancelRequested", "OrderCancelRejected", "OrderCompleted"]).await;
            }
        }
        other => panic!("a cancelled order ended as {other}"),
    }
    end.status
}

#[test]
fn an_order_can_be_cancelled_in_every_step_before_its_parcel_leaves() {
    for method in METHODS {
        let mut phases = std::collections::BTreeSet::new();
        for polls in 0..60 {
            let world = World::kind();
            world.play(async |oms| {
                let id = open(&oms, usual(method)).await;
                for _ in 0..polls {
                    give_way().await;
                }
                phases.insert(phase(&oms, &id).await);
                let accepted = cancel(&oms, &id).await;
                assert!(accepted);
                assert_eq!(stopped_or_sent(&world, &oms, &id, accepted).await, Status::Cancelled);
            });
        }
        let met = |phase| phases.contains(&phase);
        assert!(met(Phase::Reserving) && met(Phase::AwaitingPayment), "{method}: {phases:?}");
        assert!(method == "upi" || (met(Phase::Committing) && met(Phase::Confirmed)), "{method}: {phases:?}");
    }
}

#[test]
fn a_cancel_that_races_the_parcel_is_either_done_or_refused() {
    for method in METHODS {
        let mut ends = std::collections::BTreeSet::new();
        for millis in
            [0, 1, 500, 999, 1_000, 1_001, 1_999, 2_000, 2_001, 2_999, 3_000, 3_001, 5_000, 7_000, 9_000]
        {
            for polls in [0, 3] {
                let world = World::kind();
                world.play(async |oms| {
                    let id = open(&oms, usual(method)).await;
                    world.sleep(Duration::from_millis(millis)).await;
                    for _ in 0..polls {
                        give_way().await;
                    }
                    let accepted = cancel(&oms, &id).await;
                    ends.insert(stopped_or_sent(&world, &oms, &id, accepted).await);
                });
            }
        }
        assert_eq!(ends.len(), 2, "{method}: both were seen");
    }
}

#[test]
fn a_cancelled_payment_is_undone_as_its_method_can() {
    for (method, said) in [
        ("card", &["PaymentCancelRequested", "PaymentVoided", "OrderPaymentUndone", "OrderCancelled"][..]),
        ("upi", &["PaymentCancelRequested", "RefundRequested", "PaymentRefunded", "OrderCancelled"][..]),
        ("cod", &["PaymentCancelRequested", "PaymentNotStarted", "OrderPaymentUndone", "OrderCancelled"][..]),
    ] {
        let world = World::kind();
        world.play(async |oms| {
            let id = open(&oms, held(method)).await;
            world.sleep(Duration::from_secs(60)).await;
            assert!(cancel(&oms, &id).await);
            let first = ["OrderDispatchHeld", "OrderCancelRequested", "ShipmentCancelled", "OrderCancelling"];
            world.ends(&oms, &id, Status::Cancelled, &[&first[..], said].concat()).await;
            says(&oms, &id, &["OrderCancelling", "StockReleased", "OrderCancelled"]).await;
            never_says(&oms, &id, &["ShipmentDispatched", "OrderCancelRejected"]).await;
            assert_eq!((shelf(&oms, "A").await.taken, shelf(&oms, "A").await.on_hand()), (0, 10));
        });
        let told = world.ledger().total();
        let wanted = match method {
            "card" => (DUE, 0, DUE, 0),
            "upi" => (0, DUE, 0, DUE),
            _ => (0, 0, 0, 0),
        };
        assert_eq!((told.authorised, told.captured, told.voided, told.refunded), wanted);
    }
}

#[test]
fn a_parcel_that_has_left_is_not_cancelled_and_the_answer_says_why() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("card")).await;
        world.sleep(Duration::from_secs(3)).await;
        let reply = oms.cancel(&id, "c-1", "too late").await.expect("asked");
        assert!(!reply.accepted);
        assert_eq!(reply.reasons, ["the parcel has left; ask for a return once it has arrived"]);
        world.ends(&oms, &id, Status::Completed, &["OrderDispatched", "OrderCompleted"]).await;
        never_says(&oms, &id, &["OrderCancelRequested"]).await;
    });
}

#[test]
fn a_cancel_that_the_carrier_answers_too_late_is_rejected_and_the_order_goes_on() {
    let mut world = World::kind();
    // The parcel leaves at the carrier's, and nobody has asked it since.
    world.windows.dispatch = Duration::ZERO;
    world.draws = Draws::new(3).hanging(1_000_000);
    world.play(async |oms| {
        let id = open(&oms, usual("cod")).await;
        // Told, and its answer is lost: nobody here knows whether it was heard.
        let told = |world: &World| {
            let lines = world.journal.load().expect("readable");
            lines.iter().any(|line| &*line.key.step == "book" && line.fact == Fact::Told)
        };
        while !told(&world) {
            give_way().await;
        }
        let accepted = cancel(&oms, &id).await;
        assert!(accepted, "shipping has the last word");
        assert_eq!(stopped_or_sent(&world, &oms, &id, accepted).await, Status::Completed);
        says(&oms, &id, &["OrderCancelRequested", "ShipmentCancelRejected", "OrderCompleted"]).await;
    });
}

#[test]
fn an_order_that_has_ended_is_not_cancelled() {
    for (draws, status) in
        [(Draws::new(1), Status::Completed), (Draws::new(1).declining(1_000_000), Status::Failed)]
    {
        let world = World::new(draws);
        world.play(async |oms| {
            let id = open(&oms, usual("card")).await;
            world.ends(&oms, &id, status, &[]).await;
            assert!(!cancel(&oms, &id).await);
            world.ends(&oms, &id, status, &[]).await;
        });
    }
}

#[test]
fn a_cancel_may_be_repeated_and_an_unknown_order_is_refused() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("upi")).await;
        for _ in 0..3 {
            assert!(cancel(&oms, &id).await, "asked before, and under way");
        }
        world.ends(&oms, &id, Status::Cancelled, &["OrderCancelRequested", "OrderCancelled"]).await;
        assert!(!cancel(&oms, &id).await, "cancelled already");
        let kinds = crate::audit::kinds(&oms, &id).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "OrderCancelRequested").count(), 1);
        let nobody = oms_core::id::order_id("shop", "never placed");
        assert!(!cancel(&oms, &nobody).await);
        world.rest(&oms).await;
    });
}

#[test]
fn a_released_dispatch_that_is_cancelled_at_once_ends_one_way() {
    for polls in (0..60).step_by(4) {
        let world = World::kind();
        world.play(async |oms| {
            let id = open(&oms, held("card")).await;
            world.sleep(Duration::from_secs(60)).await;
            assert!(oms.release_dispatch(&id).await.expect("asked").accepted);
            for _ in 0..polls {
                give_way().await;
            }
            let accepted = cancel(&oms, &id).await;
            stopped_or_sent(&world, &oms, &id, accepted).await;
        });
    }
}
