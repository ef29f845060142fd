//! The simulated providers, told and asked as a worker would, on a virtual clock.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use oms_core::{
    clock::Clock,
    conformance::{Stage, VirtualClock},
    gateway::{
        EffectKey, NoAnswer, Port, Reported,
        carrier::{CarrierReport, CarrierRequest},
        journal::MemoryJournal,
        payment::{PaymentReport, PaymentRequest, PaymentStep},
        simulated::{Draws, SimulatedCarrier, SimulatedProvider, Windows},
    },
    id::{CustomerId, Name},
    money::{Currency, Money},
};
use std::{sync::Arc, time::Duration};

struct Scene {
    stage: Stage,
    clock: VirtualClock,
    journal: Arc<MemoryJournal>,
    draws: Draws,
    windows: Windows,
}

impl Scene {
    fn new(draws: Draws, windows: Windows) -> Self {
        let stage = Stage::default();
        Self { clock: stage.clock(), stage, journal: Arc::default(), draws, windows }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    fn provider(&self) -> SimulatedProvider {
        let opened = SimulatedProvider::open(self.draws, self.windows, self.clock(), self.journal.clone());
        opened.expect("opens")
    }

    fn carrier(&self) -> SimulatedCarrier {
        SimulatedCarrier::open(self.draws, self.windows, self.clock(), self.journal.clone()).expect("opens")
    }

    fn tell<P: Port>(
        &self,
        port: &P,
        step: &str,
        request: &P::Request,
    ) -> Result<Reported<P::Report>, NoAnswer> {
        let key = EffectKey::new("o-1", step, 1);
        self.stage.run(port.tell(&key, request)).expect("not stuck")
    }

    fn ask<P: Port>(
        &self,
        port: &P,
        step: &str,
        request: &P::Request,
    ) -> Result<Option<Reported<P::Report>>, NoAnswer> {
        let key = EffectKey::new("o-1", step, 1);
        self.stage.run(port.ask(&key, request)).expect("not stuck")
    }
}

fn pay(wish: PaymentStep) -> PaymentRequest {
    PaymentRequest {
        wish,
        method: Name::from("card"),
        customer: CustomerId::new("c-1").expect("an id"),
        amount: Money { minor: 500, currency: Currency::new("GBP").expect("a currency") },
        token: None,
        window: Duration::ZERO,
    }
}

fn book() -> CarrierRequest {
    let request = r#"{"wish":"book","address":{"country":"GB"},"lines":[]}"#;
    serde_json::from_str(request).expect("reads")
}

#[test]
fn a_wish_told_twice_is_done_once_even_by_a_provider_that_was_killed() {
    let scene = Scene::new(Draws::new(7), Windows::default());
    for _ in 0..2 {
        let told = scene.tell(&scene.provider(), "charge", &pay(PaymentStep::Charge)).expect("answers");
        assert!(matches!(told.report, PaymentReport::Captured { .. }) && told.again.is_none());
    }
    let total = scene.provider().ledger().expect("reads").total();
    assert_eq!((total.captured, total.captures, total.repeated), (500, 1, 1));
}

#[test]
fn a_wish_that_hangs_was_done_and_is_known_when_asked_about() {
    let scene = Scene::new(Draws::new(7).hanging(1_000_000), Windows::default());
    let (provider, wish) = (scene.provider(), pay(PaymentStep::Charge));
    assert!(matches!(scene.ask(&provider, "charge", &wish), Ok(None)), "never heard of it");
    assert!(scene.tell(&provider, "charge", &wish).is_err());
    let asked = (0..4).find_map(|_| scene.ask(&provider, "charge", &wish).ok().flatten());
    assert!(asked.is_some_and(|known| matches!(known.report, PaymentReport::Captured { .. })));
    assert_eq!(provider.ledger().expect("reads").total().captures, 1);
}

#[test]
fn a_charge_may_waver_and_succeed_late() {
    let (approval, late) = (Duration::from_secs(2), Duration::from_secs(5));
    let windows = Windows { approval, late, ..Windows::default() };
    let scene = Scene::new(Draws::new(7).wavering(1_000_000, 1_000_000), windows);
    let (provider, wish) = (scene.provider(), pay(PaymentStep::Charge));
    let first = scene.tell(&provider, "charge", &wish).expect("answers");
    assert_eq!(first, Reported::open(PaymentReport::ActionRequired, approval));
    scene.clock.advance(approval);
    let second = scene.ask(&scene.provider(), "charge", &wish).expect("answers").expect("known");
    assert!(matches!(second.report, PaymentReport::Declined { last_word: false, .. }));
    assert_eq!(second.again, Some(late));
    scene.clock.advance(late);
    let last = scene.ask(&scene.provider(), "charge", &wish).expect("answers").expect("known");
    assert!(matches!(last.report, PaymentReport::Captured { .. }) && last.again.is_none());
}

#[test]
fn only_what_was_taken_is_given_back() {
    let scene = Scene::new(Draws::new(7), Windows::default());
    let provider = scene.provider();
    let early = scene.tell(&provider, "refund", &pay(PaymentStep::Refund)).expect("answers");
    assert!(matches!(early.report, PaymentReport::Refused { .. }));
    scene.tell(&provider, "authorise", &pay(PaymentStep::Authorise)).expect("answers");
    scene.tell(&provider, "capture", &pay(PaymentStep::Capture)).expect("answers");
    let void = scene.tell(&provider, "void", &pay(PaymentStep::Void)).expect("answers");
    assert!(matches!(void.report, PaymentReport::Refused { .. }));
    assert_eq!(provider.ledger().expect("reads").total().voided, 0);
}

#[test]
fn a_parcel_is_booked_sent_and_delivered_one_word_at_a_time() {
    let scene = Scene::new(Draws::new(7), Windows::default());
    let carrier = scene.carrier();
    let first = scene.tell(&carrier, "book", &book()).expect("answers");
    assert!(matches!(first.report, CarrierReport::Booked { .. }) && first.again == Some(Duration::ZERO));
    let second = scene.ask(&carrier, "book", &book()).expect("answers").expect("known");
    assert!(matches!(second.report, CarrierReport::Dispatched { .. }) && second.again.is_some());
    let third = scene.ask(&scene.carrier(), "book", &book()).expect("answers").expect("known");
    assert!(matches!(third.report, CarrierReport::Delivered { .. }) && third.again.is_none());
}

#[test]
fn a_parcel_is_stopped_until_it_leaves_and_never_after() {
    let windows = Windows { dispatch: Duration::from_secs(5), ..Windows::default() };
    for (wait, stopped) in [(4, true), (5, false)] {
        let scene = Scene::new(Draws::new(7), windows);
        scene.tell(&scene.carrier(), "book", &book()).expect("answers");
        scene.clock.advance(Duration::from_secs(wait));
        let said = scene.tell(&scene.carrier(), "cancel", &CarrierRequest::Cancel).expect("answers");
        assert_eq!(said.report == CarrierReport::Cancelled, stopped);
        let watched = scene.ask(&scene.carrier(), "book", &book()).expect("answers").expect("known");
        assert_eq!(watched.report == CarrierReport::Cancelled, stopped);
        let left = scene.carrier().ledger().expect("reads").total().dispatches;
        assert_eq!(left, u32::from(!stopped));
    }
}

#[test]
fn outcomes_are_drawn_at_about_their_rate_and_change_with_the_seed() {
    let count =
        |seed| (0..2_000).filter(|n| Draws::new(seed).declining(50_000).declines(&n.to_string())).count();
    assert!((60..140).contains(&count(1)), "{}", count(1));
    let picks = |seed| {
        (0..200).map(|n| Draws::new(seed).declining(500_000).declines(&n.to_string())).collect::<Vec<_>>()
    };
    assert_ne!(picks(1), picks(2));
}
