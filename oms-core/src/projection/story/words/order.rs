//! What the order's own events say: its steps, what it asked of whom, and what it undid.

use super::count::count;
use crate::{
    event::{
        inventory::Shortage,
        order::{FailureReason, OrderEvent, OrderPlaced},
    },
    money::Money,
};

pub(super) fn order(event: &OrderEvent) -> String {
    match event {
        OrderEvent::OrderPlaced(placed) => accepted(placed),
        OrderEvent::OrderStockHeld(_) => "all lines are held; asked payment for a guarantee".to_owned(),
        OrderEvent::OrderStockRejected(short) => format!("nothing is held: {}", shortages(&short.shortages)),
        OrderEvent::OrderPaymentAuthorized(moved) => {
            format!("{} is reserved; asked inventory to commit the stock", moved.amount)
        }
        OrderEvent::OrderPaymentCaptured(moved) => format!("{} was paid", moved.amount),
        OrderEvent::OrderPaymentCapturedLate(moved) => {
            format!("{} was paid while the order is being undone; payment gives it back", moved.amount)
        }
        OrderEvent::OrderPaymentPromised(moved) => {
            format!("{} is promised on delivery; asked inventory to commit the stock", moved.amount)
        }
        OrderEvent::OrderPaymentDeclined(no) if no.last_word => format!("payment said no: {}", no.reason),
        OrderEvent::OrderPaymentDeclined(no) => format!("payment said no, for now: {}", no.reason),
        OrderEvent::OrderStepTimedOut(why) => format!("the step {} was not answered in time", why.reason),
        OrderEvent::OrderStockCommitted(_) => {
            "the stock is committed; asked shipping for a parcel".to_owned()
        }
        OrderEvent::OrderStockCommitRejected(_) => "the hold was gone, nothing is committed".to_owned(),
        OrderEvent::OrderDispatchHeld(_) => "the parcel waits until its hold is lifted".to_owned(),
        OrderEvent::OrderDispatched(sent) => format!(
            "the parcel has left ({}); asked inventory to book the units out, and payment for what is due",
            tracking(&sent.tracking)
        ),
        OrderEvent::OrderShipmentFailed(why) => format!("no carrier takes it: {}", why.reason),
        OrderEvent::OrderStockConsumed(_) => "the units have left the books".to_owned(),
        OrderEvent::OrderDelivered(arrived) => delivered(arrived.collected),
        OrderEvent::OrderCancelRequested(wish) => format!("{} wants it cancelled: {}", wish.by, wish.reason),
        OrderEvent::OrderCancelRejected(why) => format!("it cannot be cancelled any more: {}", why.reason),
        OrderEvent::OrderShipmentCancelled(_) => "the parcel will not leave".to_owned(),
        OrderEvent::OrderFailing(failing) => {
            format!("began to undo everything, because {}", because(failing.reason))
        }
        OrderEvent::OrderCancelling(_) => "began to undo everything, as was asked".to_owned(),
        OrderEvent::OrderPaymentUndone(moved) => undone(moved.amount),
        OrderEvent::OrderStockReleased(_) => "the stock is given back".to_owned(),
        OrderEvent::OrderNeedsAttention(why) => format!("a person must look: {}", why.reason),
        OrderEvent::OrderCompleted(_) => "completed: delivered and paid".to_owned(),
        OrderEvent::OrderFailed(failed) => {
            format!("failed, because {}; nothing is kept", because(failed.reason))
        }
        OrderEvent::OrderCancelled(why) => format!("cancelled ({}); nothing is kept", why.reason),
    }
}

fn accepted(placed: &OrderPlaced) -> String {
    let units: u64 = placed.lines.iter().map(|line| u64::from(line.quantity)).sum();
    let lines = u32::try_from(placed.lines.len()).unwrap_or(u32::MAX);
    format!(
        "accepted from {}: {}, {}, {}, by {}; asked inventory to hold the stock",
        placed.customer,
        count(lines, "line"),
        count(units, "unit"),
        placed.total,
        placed.payment.method
    )
}

/// What is missing, in words.
pub(super) fn shortages(shortages: &[Shortage]) -> String {
    let one = |short: &Shortage| match short.known {
        true => format!("{} of {} wanted, {} there", short.wanted, short.sku, short.available),
        false => format!("{} is not known", short.sku),
    };
    match shortages {
        [] => "it was undone before it was held".to_owned(),
        short => short.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn delivered(collected: Option<Money>) -> String {
    match collected {
        Some(amount) => format!("the parcel has arrived, {amount} was collected; told payment"),
        None => "the parcel has arrived".to_owned(),
    }
}

fn undone(returned: Money) -> String {
    if returned.is_zero() {
        return "the payment is undone, nothing had to be given back".to_owned();
    }
    format!("the payment is undone, {returned} was given back")
}

fn tracking(number: &str) -> &str {
    if number.is_empty() { "without a number" } else { number }
}

fn because(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::OutOfStock => "stock is missing",
        FailureReason::StockTimeout => "inventory did not answer in time",
        FailureReason::PaymentDeclined => "the payment was declined",
        FailureReason::PaymentTimeout => "the payment did not come to an end in time",
        FailureReason::HoldExpired => "the hold had expired",
        FailureReason::Shipping => "no carrier takes it",
    }
}
