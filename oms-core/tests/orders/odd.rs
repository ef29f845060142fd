//! Gateways of one's own that keep their contract to the letter, or not quite: no order is lost for it.

use crate::{
    audit::{kinds, says},
    house::World,
    shop::{open, usual},
};
use async_trait::async_trait;
use oms_core::{
    event::public::Status,
    gateway::{
        EffectKey, NoAnswer, Port, Repeats, Reported,
        carrier::{CarrierReport, CarrierRequest},
        payment::{PaymentReport, PaymentRequest},
    },
    order::Phase,
    payment::{Capabilities, Method},
    projection::Reason,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A carrier that stops nothing it has booked, keeps the parcel for half a minute, and then says its last word.
#[derive(Clone)]
struct Stubborn {
    looks: Arc<AtomicU32>,
    last: CarrierReport,
}

impl Stubborn {
    fn ending(last: CarrierReport) -> Self {
        Self { looks: Arc::default(), last }
    }
}

#[async_trait]
impl Port for Stubborn {
    type Request = CarrierRequest;
    type Report = CarrierReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        1
    }

    async fn tell(&self, _: &EffectKey, wish: &CarrierRequest) -> Result<Reported<CarrierReport>, NoAnswer> {
        if *wish == CarrierRequest::Cancel {
            return Ok(Reported::settled(CarrierReport::TooLate));
        }
        let (looks, tracking) = (self.looks.fetch_add(1, Ordering::SeqCst), "T1".to_owned());
        Ok(match looks {
            0..3 => Reported::open(CarrierReport::Booked { tracking }, Duration::from_secs(10)),
            3 => Reported::open(CarrierReport::Dispatched { tracking }, Duration::from_secs(1)),
            _ => Reported::settled(self.last.clone()),
        })
    }

    async fn ask(
        &self,
        key: &EffectKey,
        wish: &CarrierRequest,
    ) -> Result<Option<Reported<CarrierReport>>, NoAnswer> {
        self.tell(key, wish).await.map(Some)
    }
}

#[test]
fn a_cancel_that_was_rejected_may_be_asked_again_in_the_same_words() {
    let world = World::kind();
    let arrives = CarrierReport::Delivered { tracking: "T1".to_owned(), collected: None };
    world.play_with(
        |builder| builder.carrier(Stubborn::ending(arrives)),
        async |oms| {
            let id = open(&oms, usual("card")).await;
            for _ in 0..2 {
                world.sleep(Duration::from_secs(2)).await;
                assert!(oms.cancel(&id, "c-1", "no more").await.expect("asked").accepted);
                world.sleep(Duration::from_secs(2)).await;
                let phase = oms.order(&id).await.expect("reads").map(|order| order.phase);
                assert_eq!(phase, Some(Phase::Confirmed), "rejected, and on its way");
            }
            world.ends(&oms, &id, Status::Completed, &["OrderCancelRejected", "OrderDispatched"]).await;
            let kinds = kinds(&oms, &id).await;
            assert_eq!(kinds.iter().filter(|kind| *kind == "OrderCancelRejected").count(), 2);
        },
    );
}

#[test]
fn a_parcel_that_is_refused_at_the_door_is_shown_to_a_person_with_its_reason() {
    let world = World::kind();
    let refused = CarrierReport::Refused { reason: "nobody was willing to pay".to_owned() };
    world.play_with(
        |builder| builder.carrier(Stubborn::ending(refused)),
        async |oms| {
            let id = open(&oms, usual("cod")).await;
            world.sleep(Duration::from_secs(60)).await;
            let stuck = oms.stuck().await.expect("reads");
            let [one] = stuck.as_slice() else { panic!("one order is stuck: {stuck:?}") };
            assert_eq!((&one.order, one.phase), (&id, Phase::Fulfilling));
            let said = matches!(&one.reason, Reason::DeadLetter { error, .. } if error.contains("willing"));
            assert!(said, "{:?}", one.reason);
        },
    );
}

/// A provider that calls "I do not know yet" its last word.
#[derive(Clone, Copy)]
struct Vague;

#[async_trait]
impl Port for Vague {
    type Request = PaymentRequest;
    type Report = PaymentReport;

    fn repeats(&self) -> Repeats {
        Repeats::Deduplicated
    }

    fn at_once(&self) -> usize {
        1
    }

    async fn tell(&self, _: &EffectKey, _: &PaymentRequest) -> Result<Reported<PaymentReport>, NoAnswer> {
        Ok(Reported::settled(PaymentReport::Pending))
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
fn a_last_word_that_says_nothing_is_shown_to_a_person_with_its_reason() {
    let world = World::kind();
    let can = Capabilities { refund: true, ..Capabilities::default() };
    let method = Method::new("vague", can, Duration::from_secs(60));
    world.play_with(
        |builder| builder.payment_method(method, Vague),
        async |oms| {
            let id = open(&oms, usual("vague")).await;
            world.sleep(Duration::from_secs(3_600)).await;
            let stuck = oms.stuck().await.expect("reads");
            let [one] = stuck.as_slice() else { panic!("one order is stuck: {stuck:?}") };
            assert_eq!((&one.order, one.phase), (&id, Phase::Failing), "its stock is given back meanwhile");
            let said = matches!(&one.reason, Reason::DeadLetter { error, .. } if error.contains("last word"));
            assert!(said, "{:?}", one.reason);
            says(&oms, &id, &["OrderFailing", "OrderStockReleased"]).await;
        },
    );
}
