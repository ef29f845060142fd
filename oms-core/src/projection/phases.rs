//! Phases: where an order stands and stood, by a fold of its own beside the aggregate's.

use super::facts::Facts;
use crate::{
    event::{order::OrderEvent, public::Status},
    order::Phase,
};

impl Facts {
    /// The phases the order went through, each once, in order.
    #[must_use]
    pub fn phases(&self) -> Vec<Phase> {
        let mut trail = vec![Phase::Unplaced];
        for (index, event) in self.orders.iter().enumerate() {
            let now = trail.last().copied().unwrap_or_default();
            let next = self.phase_after(now, event, &self.orders[..index]);
            if next != now {
                trail.push(next);
            }
        }
        trail
    }

    /// The phase the order is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phases().last().copied().unwrap_or_default()
    }

    /// The status for people, in this order: a terminal phase; else shipped; else paid; else confirmed.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.phase() {
            Phase::Completed => Status::Completed,
            Phase::Cancelled => Status::Cancelled,
            Phase::Failed => Status::Failed,
            Phase::Unplaced
            | Phase::Reserving
            | Phase::AwaitingPayment
            | Phase::Committing
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::CancelRequested
            | Phase::Cancelling
            | Phase::Failing
            | Phase::NeedsAttention => self.open_status(),
        }
    }

    /// Why a person must look; `None` while nobody must.
    #[must_use]
    pub fn attention(&self) -> Option<&str> {
        let asked = self.orders.iter().rev().find_map(|event| match event {
            OrderEvent::OrderNeedsAttention(why) => Some(why.reason.as_str()),
            _ => None,
        });
        asked.filter(|_| self.phase() == Phase::NeedsAttention)
    }

    fn open_status(&self) -> Status {
        let said = |what: fn(&OrderEvent) -> bool| self.orders.iter().any(what);
        let due = self.placed().map_or(0, |placed| placed.total.minor);
        let mut paid = None;
        let mut committed = false;
        for event in &self.orders {
            match event {
                OrderEvent::OrderPaymentCaptured(moved) | OrderEvent::OrderPaymentCapturedLate(moved) => {
                    paid = Some(moved.amount.minor);
                }
                OrderEvent::OrderPaymentUndone(_) => paid = None,
                OrderEvent::OrderStockCommitted(_) | OrderEvent::OrderStockConsumed(_) => committed = true,
                OrderEvent::OrderStockReleased(_) => committed = false,
                _ => {}
            }
        }
        if said(|event| matches!(event, OrderEvent::OrderDispatched(_))) {
            Status::Shipped
        } else if paid.is_some_and(|paid| paid >= due) {
            Status::Paid
        } else if committed {
            Status::Confirmed
        } else {
            Status::Pending
        }
    }

    fn phase_after(&self, now: Phase, event: &OrderEvent, before: &[OrderEvent]) -> Phase {
        let left = || before.iter().any(|event| matches!(event, OrderEvent::OrderDispatched(_)));
        let whole = |minor| self.placed().is_some_and(|placed| placed.total.minor == minor);
        match event {
            OrderEvent::OrderPlaced(_) => Phase::Reserving,
            OrderEvent::OrderStockHeld(_) if now == Phase::Reserving => Phase::AwaitingPayment,
            OrderEvent::OrderPaymentAuthorized(moved)
            | OrderEvent::OrderPaymentCaptured(moved)
            | OrderEvent::OrderPaymentPromised(moved)
                if now == Phase::AwaitingPayment && whole(moved.amount.minor) =>
            {
                Phase::Committing
            }
            OrderEvent::OrderStockCommitted(_) if now == Phase::Committing => Phase::Confirmed,
            OrderEvent::OrderDispatched(_) if now == Phase::Confirmed => Phase::Fulfilling,
            OrderEvent::OrderCancelRequested(_) => Phase::CancelRequested,
            OrderEvent::OrderCancelRejected(_) if left() => Phase::Fulfilling,
            OrderEvent::OrderCancelRejected(_) => Phase::Confirmed,
            OrderEvent::OrderFailing(_) => Phase::Failing,
            OrderEvent::OrderCancelling(_) => Phase::Cancelling,
            OrderEvent::OrderNeedsAttention(_) => Phase::NeedsAttention,
            OrderEvent::OrderCompleted(_) => Phase::Completed,
            OrderEvent::OrderFailed(_) => Phase::Failed,
            OrderEvent::OrderCancelled(_) => Phase::Cancelled,
            OrderEvent::OrderStockHeld(_)
            | OrderEvent::OrderStockRejected(_)
            | OrderEvent::OrderPaymentAuthorized(_)
            | OrderEvent::OrderPaymentCaptured(_)
            | OrderEvent::OrderPaymentCapturedLate(_)
            | OrderEvent::OrderPaymentPromised(_)
            | OrderEvent::OrderPaymentDeclined(_)
            | OrderEvent::OrderStepTimedOut(_)
            | OrderEvent::OrderStockCommitted(_)
            | OrderEvent::OrderStockCommitRejected(_)
            | OrderEvent::OrderDispatchHeld(_)
            | OrderEvent::OrderDispatched(_)
            | OrderEvent::OrderShipmentFailed(_)
            | OrderEvent::OrderStockConsumed(_)
            | OrderEvent::OrderDelivered(_)
            | OrderEvent::OrderShipmentCancelled(_)
            | OrderEvent::OrderPaymentUndone(_)
            | OrderEvent::OrderStockReleased(_) => now,
        }
    }
}
