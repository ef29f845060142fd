//! What an order makes of the wish to cancel it.

use super::{refusal::Refusal, turn::Turn};
use crate::{
    event::order::{CancelOrder, OrderEvent},
    order::{accept::MAX_TEXT_BYTES, facet::Phase, plan::StepName},
};

pub(super) fn hear(turn: &mut Turn<'_>, wish: &CancelOrder) -> Result<(), Refusal> {
    if let Some(reason) = too_long("name of who cancels", &wish.by).or(too_long("reason", &wish.reason)) {
        return Err(Refusal { reasons: vec![reason] });
    }
    let refused = |reason: &str| Err(Refusal { reasons: vec![reason.to_owned()] });
    match turn.before.phase {
        Phase::Unplaced => refused("this order was never placed"),
        Phase::Fulfilling => refused("the parcel has left; ask for a return once it has arrived"),
        Phase::Failing => refused("the order is being undone already, because a step failed"),
        Phase::NeedsAttention => refused("a person must look at this order first"),
        Phase::Completed => refused("the order is completed; ask for a return"),
        Phase::Cancelled => refused("the order is cancelled already"),
        Phase::Failed => refused("the order has failed already, and nothing was kept"),
        // Asked before, and still under way.
        Phase::CancelRequested | Phase::Cancelling => Ok(()),
        Phase::Reserving | Phase::AwaitingPayment | Phase::Committing | Phase::Confirmed => {
            request(turn, wish);
            Ok(())
        }
    }
}

fn request(turn: &mut Turn<'_>, wish: &CancelOrder) {
    let (by, reason) = (wish.by.clone(), wish.reason.clone());
    turn.say(OrderEvent::OrderCancelRequested(CancelOrder { order: turn.order(), by, reason }));
    // Once a shipment was asked for, shipping alone can say whether it is stopped; before, nobody can be too late.
    if !turn.before.started.contains(&StepName::Ship) {
        turn.say(OrderEvent::OrderCancelling(turn.fact()));
    }
}

fn too_long(what: &str, text: &str) -> Option<String> {
    let bytes = text.len();
    (bytes > MAX_TEXT_BYTES)
        .then(|| format!("the {what} has {bytes} bytes; shorten it to at most {MAX_TEXT_BYTES}"))
}
