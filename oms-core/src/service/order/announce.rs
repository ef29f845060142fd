//! The public words of the order service: by the one table, from an event and the order after the turn.

use super::super::{Fault, Outgoing, send};
use crate::{
    event::{
        Wire as _,
        order::{OrderEvent, OrderPlaced},
        public::{
            About, CancelledOrder, CompletedOrder, CompletedPayment, FailedOrder, FailedPayment, PlacedOrder,
            ProcessedPayment, PublicEvent, ReservedInventory, ShippedOrder, Stage, published_as, topic_of,
        },
    },
    money::Money,
    order::Order,
};

/// The messages that publish `event`, which has led to `after`; none when the table publishes it as nothing.
pub(super) fn published(after: &Order, event: &OrderEvent) -> Result<Vec<Outgoing>, Fault> {
    let Some(placed) = after.placed() else { return Ok(Vec::new()) };
    let mut outgoing = Vec::new();
    for name in published_as(event.kind()) {
        // The two are complete by test: each public name of an event has a body here, and a topic.
        let (Some(body), Some(topic)) = (body(name, placed, after, event), topic_of(name)) else {
            return Err(Fault::Permanent(format!("{name} of {} has no body or no topic", event.kind())));
        };
        outgoing.push(send(topic, &placed.order.name(), &body)?);
    }
    Ok(outgoing)
}

fn body(name: &str, placed: &OrderPlaced, after: &Order, event: &OrderEvent) -> Option<PublicEvent> {
    let about = about(placed, after);
    let refunded = || after.returned().unwrap_or(Money::zero(placed.currency));
    match event {
        OrderEvent::OrderPlaced(placed) => {
            Some(PublicEvent::OrderPlaced(PlacedOrder { about, lines: placed.lines.clone() }))
        }
        OrderEvent::OrderStockHeld(_) => {
            Some(PublicEvent::InventoryReserved(ReservedInventory { about, lines: placed.stock_lines() }))
        }
        OrderEvent::OrderPaymentAuthorized(moved) => processed(about, Stage::Authorized, moved.amount),
        OrderEvent::OrderPaymentPromised(moved) => processed(about, Stage::Promised, moved.amount),
        OrderEvent::OrderPaymentCaptured(moved) if name == "PaymentCompleted" => {
            Some(PublicEvent::PaymentCompleted(CompletedPayment { about, amount: moved.amount }))
        }
        OrderEvent::OrderPaymentCaptured(moved) => processed(about, Stage::Captured, moved.amount),
        OrderEvent::OrderPaymentDeclined(no) => {
            let (last_word, reason) = (no.last_word, no.reason.clone());
            Some(PublicEvent::PaymentFailed(FailedPayment { about, last_word, reason }))
        }
        OrderEvent::OrderDispatched(parcel) => {
            Some(PublicEvent::OrderShipped(ShippedOrder { about, tracking: parcel.tracking.clone() }))
        }
        OrderEvent::OrderCompleted(_) => Some(PublicEvent::OrderCompleted(CompletedOrder { about })),
        OrderEvent::OrderFailed(failed) => {
            let (reason, refunded) = (failed.reason, refunded());
            Some(PublicEvent::OrderFailed(FailedOrder { about, reason, refunded }))
        }
        OrderEvent::OrderCancelled(why) => {
            let by = after.cancel().map_or_else(String::new, |wish| wish.by.clone());
            let (reason, refunded) = (why.reason.clone(), refunded());
            Some(PublicEvent::OrderCancelled(CancelledOrder { about, by, reason, refunded }))
        }
        OrderEvent::OrderStockRejected(_)
        | OrderEvent::OrderPaymentCapturedLate(_)
        | OrderEvent::OrderStepTimedOut(_)
        | OrderEvent::OrderStockCommitted(_)
        | OrderEvent::OrderStockCommitRejected(_)
        | OrderEvent::OrderDispatchHeld(_)
        | OrderEvent::OrderShipmentFailed(_)
        | OrderEvent::OrderStockConsumed(_)
        | OrderEvent::OrderDelivered(_)
        | OrderEvent::OrderCancelRequested(_)
        | OrderEvent::OrderCancelRejected(_)
        | OrderEvent::OrderShipmentCancelled(_)
        | OrderEvent::OrderFailing(_)
        | OrderEvent::OrderCancelling(_)
        | OrderEvent::OrderPaymentUndone(_)
        | OrderEvent::OrderStockReleased(_)
        | OrderEvent::OrderNeedsAttention(_) => None,
    }
}

fn processed(about: About, stage: Stage, amount: Money) -> Option<PublicEvent> {
    Some(PublicEvent::PaymentProcessed(ProcessedPayment { about, stage, amount }))
}

fn about(placed: &OrderPlaced, after: &Order) -> About {
    About {
        order: placed.order.clone(),
        customer: placed.customer.clone(),
        total: placed.total,
        method: placed.payment.method.clone(),
        status: after.status(),
        fields: placed.fields.clone(),
    }
}
