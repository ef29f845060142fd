//! Orders that go their whole way, by every way to pay and in every shape.

use crate::{
    audit::{never_says, shelf},
    house::World,
    shop::{DUE, held, open, order, place, stock, usual},
};
use async_trait::async_trait;
use oms_core::{
    event::public::Status,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        journal::Sums,
        payment::{PaymentReport, PaymentRequest, PaymentStep},
    },
    id::OrderId,
    payment::{Capabilities, Method},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

fn sums(world: &World, order: &OrderId) -> Sums {
    world.ledger().orders.get(order.as_str()).copied().unwrap_or_default()
}

const SAID_BY_CARD: [&str; 19] = [
    "OrderPlaced",
    "StockReserved",
    "OrderStockHeld",
    "PaymentRequested",
    "PaymentAuthorized",
    "OrderPaymentAuthorized",
    "StockCommitted",
    "OrderStockCommitted",
    "ShipmentRequested",
    "ShipmentPlanned",
    "ShipmentDispatched",
    "OrderDispatched",
    "CaptureRequested",
    "PaymentCaptured",
    "OrderPaymentCaptured",
    "ShipmentDelivered",
    "OrderDelivered",
    "OrderCompleted",
    "NotificationSent",
];

#[test]
fn a_card_order_is_authorised_shipped_and_captured_once() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("card")).await;
        let summary = world.ends(&oms, &id, Status::Completed, &SAID_BY_CARD).await;
        assert_eq!((summary.funds.authorised, summary.funds.captured), (DUE.into(), DUE.into()));
        assert_eq!((summary.units.shipped, shelf(&oms, "A").await.on_hand()), (3, 7));
        let told = sums(&world, &id);
        assert_eq!((told.captures, told.dispatches, told.mails, told.repeated), (1, 1, 3, 0));
    });
}

#[test]
fn a_upi_order_is_paid_before_its_stock_is_committed() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("upi")).await;
        let said = [
            "PaymentRequested",
            "PaymentActionRequired",
            "PaymentCaptured",
            "OrderPaymentCaptured",
            "StockCommitted",
            "OrderDispatched",
            "StockConsumed",
            "OrderDelivered",
            "OrderCompleted",
        ];
        let summary = world.ends(&oms, &id, Status::Completed, &said).await;
        assert_eq!((summary.funds.authorised, summary.funds.captured), (0, DUE.into()));
        assert_eq!(sums(&world, &id).captures, 1);
    });
}

#[test]
fn a_cash_order_is_shipped_unpaid_and_paid_at_the_door() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, usual("cod")).await;
        let said = [
            "CodAccepted",
            "OrderPaymentPromised",
            "OrderStockCommitted",
            "OrderDispatched",
            "ShipmentDelivered",
            "OrderDelivered",
            "PaymentCaptured",
            "OrderPaymentCaptured",
            "OrderCompleted",
        ];
        let summary = world.ends(&oms, &id, Status::Completed, &said).await;
        assert_eq!(summary.funds.captured, DUE.into());
        assert_eq!(sums(&world, &id).captures, 0, "no provider was told");
    });
}

#[test]
fn an_order_on_hold_is_sent_once_its_dispatch_is_released() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, held("card")).await;
        world.sleep(Duration::from_secs(600)).await;
        assert_eq!(oms.status(&id).await.expect("reads"), Some(Status::Confirmed));
        assert_eq!(oms.stuck().await.expect("reads"), []);
        for _ in 0..2 {
            assert!(oms.release_dispatch(&id).await.expect("asked").accepted);
        }
        let said =
            ["ShipmentHeld", "OrderDispatchHeld", "DispatchReleased", "OrderDispatched", "OrderCompleted"];
        world.ends(&oms, &id, Status::Completed, &said).await;
        assert_eq!(sums(&world, &id).dispatches, 1);
    });
}

#[test]
fn a_hold_that_cannot_be_lifted_yet_or_any_more_says_so() {
    let world = World::kind();
    world.play(async |oms| {
        let id = open(&oms, held("card")).await;
        let early = oms.release_dispatch(&id).await.expect("asked");
        assert_eq!((early.accepted, early.reason.is_some()), (false, true), "no shipment is planned yet");
        world.sleep(Duration::from_secs(60)).await;
        assert!(oms.cancel(&id, "c-1", "no more").await.expect("asked").accepted);
        world.ends(&oms, &id, Status::Cancelled, &["OrderDispatchHeld"]).await;
        assert!(!oms.release_dispatch(&id).await.expect("asked").accepted, "the shipment was cancelled");
    });
}

/// Pays with points, at once, and remembers what it did.
#[derive(Clone, Default)]
struct Points(Arc<Mutex<BTreeMap<EffectKey, u32>>>);

#[async_trait]
impl Port for Points {
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        1
    }

    async fn tell(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Reported<PaymentReport>, NoAnswer> {
        *self.0.lock().expect("no panic").entry(key.clone()).or_default() += 1;
        let reference = format!("points-{key}");
        Ok(Reported::settled(match wish.wish {
            PaymentStep::Charge => PaymentReport::Captured { reference },
            PaymentStep::Refund => PaymentReport::Refunded { reference },
            PaymentStep::Authorise | PaymentStep::Capture | PaymentStep::Void => {
                PaymentReport::Refused { reason: "points are spent at once".to_owned() }
            }
        }))
    }

    async fn ask(
        &self,
        key: &EffectKey,
        wish: &PaymentRequest,
    ) -> Result<Option<Reported<PaymentReport>>, NoAnswer> {
        self.tell(key, wish).await.map(Some)
    }
}

#[test]
fn a_method_of_ones_own_is_paid_and_refunded_through_its_own_provider() {
    let (world, points) = (World::kind(), Points::default());
    let can = Capabilities { refund: true, ..Capabilities::default() };
    let method = Method::new("points", can, Duration::from_secs(60));
    world.play_with(
        |builder| builder.payment_method(method, points.clone()),
        async |oms| {
            let paid = open(&oms, usual("points")).await;
            let undone = place(&oms, held("points"), "2").await;
            world.sleep(Duration::from_secs(60)).await;
            assert!(oms.cancel(&undone, "c-1", "no more").await.expect("asked").accepted);
            world.ends(&oms, &paid, Status::Completed, &["OrderPaymentCaptured"]).await;
            let said = ["OrderPaymentCaptured", "RefundRequested", "PaymentRefunded", "OrderCancelled"];
            world.ends(&oms, &undone, Status::Cancelled, &said).await;
        },
    );
    let told: Vec<u32> = points.0.lock().expect("no panic").values().copied().collect();
    assert_eq!(told, [1, 1, 1], "two charges and a refund, each told once");
}

#[test]
fn an_order_that_costs_nothing_asks_no_provider() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 10).await;
        for method in ["card", "upi", "cod"] {
            let id = place(&oms, order(method, &[("A", 1, 0)]), method).await;
            world.ends(&oms, &id, Status::Completed, &["OrderDispatched", "OrderCompleted"]).await;
            assert_eq!(sums(&world, &id).captures, 0);
        }
    });
}

#[test]
fn an_order_of_services_alone_needs_neither_stock_nor_a_parcel() {
    let world = World::kind();
    world.play(async |oms| {
        for method in ["card", "upi"] {
            let id = place(&oms, order(method, &[("POST", 1, 1_800)]), method).await;
            world.ends(&oms, &id, Status::Completed, &["StockReserved", "OrderPaymentCaptured"]).await;
            assert_eq!(sums(&world, &id).dispatches, 0);
        }
        let free = place(&oms, order("cod", &[("POST", 1, 0)]), "free").await;
        world.ends(&oms, &free, Status::Completed, &["OrderPaymentCaptured"]).await;
    });
}

#[test]
fn cash_is_never_booked_for_an_order_that_nobody_delivers() {
    let world = World::kind();
    world.play(async |oms| {
        let id = place(&oms, order("cod", &[("POST", 1, 1_800)]), "cod").await;
        let said = ["PaymentDeclined", "OrderFailing", "StockReleased", "OrderFailed"];
        let end = world.ends(&oms, &id, Status::Failed, &said).await;
        assert_eq!(end.kept_minor, 0);
        never_says(&oms, &id, &["PaymentCaptured", "ShipmentRequested"]).await;
    });
}

#[test]
fn a_sku_on_several_lines_is_taken_as_often_as_it_stands_there() {
    let world = World::kind();
    world.play(async |oms| {
        stock(&oms, "A", 6).await;
        let id = place(&oms, order("card", &[("A", 2, 100), ("B", 1, 7), ("A", 3, 90)]), "no b").await;
        let said = ["StockRejected", "OrderStockRejected", "OrderFailed"];
        world.ends(&oms, &id, Status::Failed, &said).await;
        let id = place(&oms, order("card", &[("A", 2, 100), ("A", 3, 90)]), "1").await;
        let summary = world.ends(&oms, &id, Status::Completed, &[]).await;
        assert_eq!((summary.total_minor, summary.units.shipped), (470, 5));
        let id = place(&oms, order("card", &[("A", 1, 100), ("A", 1, 90)]), "2").await;
        world.ends(&oms, &id, Status::Failed, &["StockRejected"]).await;
        assert_eq!(shelf(&oms, "A").await.on_hand(), 1);
    });
}

#[test]
fn an_order_of_five_hundred_lines_goes_as_one() {
    let world = World::kind();
    let names: Vec<String> = (0..500).map(|number| format!("S{number:03}")).collect();
    let lines: Vec<(&str, u32, i64)> = names.iter().map(|name| (name.as_str(), 2, 3)).collect();
    world.play(async |oms| {
        for name in &names {
            stock(&oms, name, 3).await;
        }
        let id = place(&oms, order("upi", &lines), "1").await;
        let summary = world.ends(&oms, &id, Status::Completed, &["StockReserved", "StockConsumed"]).await;
        assert_eq!((summary.lines, summary.units.shipped, summary.kept_minor), (500, 1_000, 3_000));
        let short = place(&oms, order("upi", &lines), "2").await;
        world.ends(&oms, &short, Status::Failed, &["StockRejected"]).await;
        never_says(&oms, &short, &["PaymentRequested", "StockReserved"]).await;
    });
}
