//! The rules of shipments, one sentence each, and what holds over every sequence of them.

use super::*;
use crate::{
    event::{
        Wire as _,
        shipping::{ShipmentOf, ShippingCommand, ShippingEvent},
    },
    id::order_id,
};
use proptest::prelude::*;

fn of() -> ShipmentOf {
    ShipmentOf { order: order_id("shop", "1"), fields: Default::default() }
}

fn arrange(hold: bool, lines: bool) -> ShippingCommand {
    let line = if lines { r#"{"line":0,"sku":"A","quantity":1}"# } else { "" };
    let body = format!(
        r#"{{"order":"{}","address":{{"country":"GB"}},"lines":[{line}],"hold":{hold}}}"#,
        of().order
    );
    ShippingCommand::ArrangeShipment(serde_json::from_str(&body).expect("reads"))
}

#[derive(Default)]
struct Scene {
    shipment: Shipment,
    recorded: Vec<ShippingEvent>,
    said: Vec<&'static str>,
    wished: Vec<Step>,
}

impl Scene {
    fn hear(&mut self, input: Input<'_>) -> Decision {
        let decision = self.shipment.decide(&of(), input);
        decision.events.iter().for_each(|event| self.shipment.evolve(event));
        self.said.extend(decision.again.iter().chain(&decision.events).map(|event| event.kind()));
        self.recorded.extend(decision.events.clone());
        self.wished.extend(decision.wish);
        decision
    }

    fn told(&mut self, command: ShippingCommand) -> &mut Self {
        self.hear(Input::Command { command: &command, unclaimed: false });
        self
    }

    fn answered(&mut self, step: Step, report: Report) -> &mut Self {
        self.hear(Input::Report(step, &report));
        self
    }

    fn count(&self, kind: &str) -> usize {
        self.recorded.iter().filter(|event| event.kind() == kind).count()
    }
}

fn cancel() -> ShippingCommand {
    ShippingCommand::CancelShipment(of())
}

fn number() -> String {
    "T1".to_owned()
}

#[test]
fn a_held_shipment_tells_no_carrier_until_it_is_released() {
    let mut scene = Scene::default();
    scene.told(arrange(true, true));
    assert!(scene.wished.is_empty() && scene.said.last() == Some(&"ShipmentHeld"));
    scene.told(ShippingCommand::ReleaseDispatch(of())).told(ShippingCommand::ReleaseDispatch(of()));
    assert_eq!(scene.wished, [Step::Book]);
    let mut stopped = Scene::default();
    stopped.told(arrange(true, true)).told(cancel());
    assert_eq!(stopped.said.last(), Some(&"ShipmentCancelled"));
    let command = ShippingCommand::ReleaseDispatch(of());
    assert!(stopped.hear(Input::Command { command: &command, unclaimed: false }).refused.is_some());
}

#[test]
fn nothing_to_send_is_sent_and_delivered_at_once() {
    let mut scene = Scene::default();
    scene.told(arrange(false, false));
    assert_eq!(scene.said, ["ShipmentRequested", "ShipmentDispatched", "ShipmentDelivered"]);
}

#[test]
fn nobody_collects_where_nothing_is_delivered() {
    let ShippingCommand::ArrangeShipment(mut request) = arrange(false, false) else { panic!("a request") };
    request.collect = Some(serde_json::from_str(r#"{"minor":500,"currency":"GBP"}"#).expect("reads"));
    let mut scene = Scene::default();
    scene.told(ShippingCommand::ArrangeShipment(request));
    let last = scene.recorded.last();
    assert!(matches!(last, Some(ShippingEvent::ShipmentDelivered(arrived)) if arrived.collected.is_none()));
}

#[test]
fn a_cancel_before_its_do_leaves_a_tombstone() {
    let mut scene = Scene::default();
    scene.told(cancel()).told(arrange(false, true));
    assert_eq!(scene.said, ["ShipmentCancelled", "ShipmentCancelled"]);
    assert!(scene.wished.is_empty());
}

#[test]
fn a_cancel_waits_until_the_carrier_has_answered_and_the_carrier_decides() {
    let mut scene = Scene::default();
    scene.told(arrange(false, true)).told(cancel());
    assert_eq!(scene.wished, [Step::Book]);
    scene.answered(Step::Book, Report::Booked { tracking: number() });
    assert_eq!(scene.wished, [Step::Book, Step::Cancel]);
    scene
        .answered(Step::Cancel, Report::TooLate)
        .answered(Step::Book, Report::Dispatched { tracking: number() });
    assert_eq!((scene.count("ShipmentCancelRejected"), scene.count("ShipmentDispatched")), (1, 1));
}

#[test]
fn a_carrier_that_refuses_a_cancellation_has_not_stopped_the_parcel() {
    let mut scene = Scene::default();
    scene.told(arrange(false, true)).answered(Step::Book, Report::Booked { tracking: number() });
    scene.told(cancel()).answered(Step::Cancel, Report::Refused { reason: "no".to_owned() });
    assert_eq!(
        scene.said.last(),
        Some(&"ShipmentCancelRejected"),
        "nothing may be undone: it may still leave"
    );
    scene.answered(Step::Book, Report::Dispatched { tracking: number() });
    assert_eq!(scene.said.last(), Some(&"ShipmentDispatched"));
}

proptest! {
    #[test]
    fn a_shipment_is_never_both_stopped_and_sent(moves in prop::collection::vec(0_u8..9, 0..40)) {
        let mut scene = Scene::default();
        for what in moves {
            match what {
                0 => scene.told(arrange(false, true)),
                1 => scene.told(cancel()),
                2 => scene.answered(Step::Book, Report::Booked { tracking: number() }),
                3 => scene.answered(Step::Book, Report::Dispatched { tracking: number() }),
                4 => scene.answered(Step::Book, Report::Delivered { tracking: number(), collected: None }),
                5 => scene.answered(Step::Book, Report::Cancelled),
                6 => scene.answered(Step::Cancel, Report::Cancelled),
                7 => scene.answered(Step::Cancel, Report::TooLate),
                _ => scene.answered(Step::Book, Report::Refused { reason: "no".to_owned() }),
            };
        }
        let ends = ["ShipmentDispatched", "ShipmentCancelled", "ShipmentFailed"];
        let ended: usize = ends.iter().map(|kind| scene.count(kind)).sum();
        prop_assert!(ended <= 1, "{:?}", scene.said);
        prop_assert!(scene.count("ShipmentDelivered") <= scene.count("ShipmentDispatched"));
        prop_assert!(scene.wished.iter().filter(|step| **step == Step::Book).count() <= 1);
        prop_assert!(scene.wished.iter().filter(|step| **step == Step::Cancel).count() <= 1);
        let mut replayed = Shipment::default();
        scene.recorded.iter().for_each(|event| replayed.evolve(event));
        prop_assert_eq!(replayed, scene.shipment);
    }
}
