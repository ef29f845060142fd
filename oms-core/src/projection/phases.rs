//! Phases: where an order stands and stood, by a fold of its own beside the aggregate's.

use super::facts::Facts;
use crate::{
    event::{order::OrderEvent, public::Status},
    order::Phase,
};
use serde::{Deserialize, Serialize};

/// What an order's own stream says of where it stands: one event at a time, so that nothing older need be kept.
///
/// ```
/// use oms_core::{event::public::Status, order::Phase, projection::Course};
/// let course = Course::default();
/// assert_eq!((course.phase(), course.status()), (Phase::Unplaced, Status::Pending));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    phase: Phase,
    due: Option<i64>,
    paid: Option<i64>,
    committed: bool,
    left: bool,
    asked: Option<String>,
}

impl Course {
    /// Applies the next event of the order's stream.
    pub fn apply(&mut self, event: &OrderEvent) {
        self.phase = self.phase_after(event);
        match event {
            OrderEvent::OrderPlaced(placed) => self.due = self.due.or(Some(placed.total.minor)),
            OrderEvent::OrderPaymentCaptured(moved) | OrderEvent::OrderPaymentCapturedLate(moved) => {
                self.paid = Some(moved.amount.minor);
            }
            OrderEvent::OrderPaymentUndone(_) => self.paid = None,
            OrderEvent::OrderStockCommitted(_) | OrderEvent::OrderStockConsumed(_) => self.committed = true,
            OrderEvent::OrderStockReleased(_) => self.committed = false,
            OrderEvent::OrderDispatched(_) => self.left = true,
            OrderEvent::OrderNeedsAttention(why) => self.asked = Some(why.reason.clone()),
            _ => {}
        }
    }

    /// The phase the order is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether its parcel has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Why a person must look; `None` while nobody must.
    #[must_use]
    pub fn attention(&self) -> Option<&str> {
        self.asked.as_deref().filter(|_| self.phase == Phase::NeedsAttention)
    }

    /// The status for people, in this order: a terminal phase; else shipped; else paid; else confirmed.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.phase {
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

    fn open_status(&self) -> Status {
        if self.left {
            Status::Shipped
        } else if self.paid.is_some_and(|paid| paid >= self.due.unwrap_or(0)) {
            Status::Paid
        } else if self.committed {
            Status::Confirmed
        } else {
            Status::Pending
        }
    }

    fn phase_after(&self, event: &OrderEvent) -> Phase {
        let now = self.phase;
        match event {
            OrderEvent::OrderPlaced(_) => Phase::Reserving,
            OrderEvent::OrderStockHeld(_) if now == Phase::Reserving => Phase::AwaitingPayment,
            OrderEvent::OrderPaymentAuthorized(moved)
            | OrderEvent::OrderPaymentCaptured(moved)
            | OrderEvent::OrderPaymentPromised(moved)
                if now == Phase::AwaitingPayment && self.due == Some(moved.amount.minor) =>
            {
                Phase::Committing
            }
            OrderEvent::OrderStockCommitted(_) if now == Phase::Committing => Phase::Confirmed,
            OrderEvent::OrderDispatched(_) if now == Phase::Confirmed => Phase::Fulfilling,
            OrderEvent::OrderCancelRequested(_) => Phase::CancelRequested,
            OrderEvent::OrderCancelRejected(_) if self.left => Phase::Fulfilling,
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

impl Facts {
    /// The phases the order went through, each once, in order.
    #[must_use]
    pub fn phases(&self) -> Vec<Phase> {
        let (mut course, mut trail) = (Course::default(), vec![Phase::Unplaced]);
        for event in &self.orders {
            course.apply(event);
            if trail.last() != Some(&course.phase) {
                trail.push(course.phase);
            }
        }
        trail
    }

    /// Where the order stands, by its own stream.
    #[must_use]
    pub fn course(&self) -> Course {
        let mut course = Course::default();
        self.orders.iter().for_each(|event| course.apply(event));
        course
    }

    /// The phase the order is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.course().phase
    }

    /// The status for people, as [`Course::status`] says.
    #[must_use]
    pub fn status(&self) -> Status {
        self.course().status()
    }

    /// Why a person must look; `None` while nobody must.
    #[must_use]
    pub fn attention(&self) -> Option<String> {
        self.course().attention().map(str::to_owned)
    }
}
