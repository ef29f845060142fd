//! What an order makes of the shipping service's words; shipping alone decides whether a parcel can be stopped.

use super::turn::Turn;
use crate::{
    event::{
        order::{FailureReason, OrderArrived, OrderEvent, OrderTracked},
        shipping::{ShipmentDelivered, ShippingEvent},
    },
    order::{
        facet::{Payment, Phase, Shipment},
        plan::StepName,
    },
};

pub(super) fn hear(turn: &mut Turn<'_>, event: &ShippingEvent) {
    if !turn.before.started.contains(&StepName::Ship) {
        return;
    }
    match event {
        ShippingEvent::ShipmentHeld(_) => held(turn),
        ShippingEvent::ShipmentDispatched(parcel) => left(turn, parcel.tracking.clone()),
        ShippingEvent::ShipmentDelivered(parcel) => arrived(turn, parcel),
        ShippingEvent::ShipmentFailed(refused) => failed(turn, &refused.reason),
        ShippingEvent::ShipmentCancelled(_) => stopped(turn),
        ShippingEvent::ShipmentCancelRejected(refused) => not_stopped(turn, &refused.reason),
        // Recorded by the shipping service for its own story.
        ShippingEvent::ShipmentRequested(_)
        | ShippingEvent::DispatchReleased(_)
        | ShippingEvent::ShipmentPlanned(_)
        | ShippingEvent::ShipmentCancelRequested(_) => {}
    }
}

/// Whether shipping has not yet said its last word about this parcel.
fn is_open(turn: &Turn<'_>) -> bool {
    let standing = matches!(turn.before.shipment, Shipment::Unknown | Shipment::Held);
    let phase =
        matches!(turn.before.phase, Phase::Confirmed | Phase::CancelRequested | Phase::NeedsAttention);
    standing && phase
}

fn held(turn: &mut Turn<'_>) {
    if is_open(turn) && turn.before.shipment == Shipment::Unknown {
        turn.say(OrderEvent::OrderDispatchHeld(turn.fact()));
    }
}

fn left(turn: &mut Turn<'_>, tracking: String) {
    if !is_open(turn) {
        return;
    }
    turn.say(OrderEvent::OrderDispatched(OrderTracked { order: turn.order(), tracking }));
    if turn.before.phase == Phase::CancelRequested {
        // The pivot has passed, which answers the request; shipping's own no comes late, and changes nothing.
        turn.say(OrderEvent::OrderCancelRejected(turn.why("the parcel has left".to_owned())));
    }
}

fn arrived(turn: &mut Turn<'_>, parcel: &ShipmentDelivered) {
    // What has arrived had left, even if that word comes late.
    left(turn, String::new());
    if turn.now.shipment != Shipment::Dispatched {
        return;
    }
    let collected = parcel.collected;
    turn.say(OrderEvent::OrderDelivered(OrderArrived { order: turn.order(), collected }));
    let due = turn.placed.total;
    let promised = turn.now.payment == Payment::Promised;
    // A collected amount that differs from what is due is noticed once it is in the books.
    let as_agreed = match collected {
        Some(money) => (promised && money.currency == due.currency) || money.is_zero(),
        None => !promised,
    };
    if !as_agreed && turn.now.phase != Phase::NeedsAttention {
        let brought = collected.map_or_else(|| "nothing".to_owned(), |money| money.to_string());
        turn.attend(format!("the courier collected {brought} for an order of {due}: settle the difference"));
    }
}

fn failed(turn: &mut Turn<'_>, reason: &str) {
    if !is_open(turn) {
        return;
    }
    turn.say(OrderEvent::OrderShipmentFailed(turn.why(reason.to_owned())));
    undo_unsent(turn);
}

fn stopped(turn: &mut Turn<'_>) {
    if !is_open(turn) {
        return;
    }
    turn.say(OrderEvent::OrderShipmentCancelled(turn.fact()));
    undo_unsent(turn);
}

/// Undoes an order whose parcel will not leave; whether anybody here asked for that or not, shipping has the last word.
fn undo_unsent(turn: &mut Turn<'_>) {
    if turn.before.phase == Phase::CancelRequested {
        turn.say(OrderEvent::OrderCancelling(turn.fact()));
    } else if turn.before.phase == Phase::Confirmed {
        turn.fail(FailureReason::Shipping);
    }
}

fn not_stopped(turn: &mut Turn<'_>, reason: &str) {
    if turn.before.phase == Phase::CancelRequested {
        turn.say(OrderEvent::OrderCancelRejected(turn.why(reason.to_owned())));
    }
}
