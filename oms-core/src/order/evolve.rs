//! The fold: what each recorded event makes of an order.

use super::{
    facet::{Payment, Phase, Shipment, Stock},
    plan::{Begin, Step, StepName, Undo},
    state::{CancelWish, Order},
};
use crate::{
    event::{
        Wire as _,
        order::{CancelOrder, OrderEvent, OrderMoney},
    },
    id::Name,
    money::Money,
};
use std::sync::Arc;

impl Order {
    /// Applies one event; never fails, for what was recorded has happened.
    pub fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::OrderPlaced(placed) => {
                self.placed = Some(Arc::clone(placed));
                self.take(self.plan().first());
            }
            OrderEvent::OrderStockHeld(_) => self.stock = Stock::Held,
            OrderEvent::OrderStockRejected(_) => self.stock = Stock::Rejected,
            OrderEvent::OrderPaymentAuthorized(_) => self.payment = Payment::Authorized,
            OrderEvent::OrderPaymentCaptured(moved) => self.taken(moved),
            OrderEvent::OrderPaymentCapturedLate(moved) => self.taken(moved),
            OrderEvent::OrderPaymentPromised(_) => self.payment = Payment::Promised,
            OrderEvent::OrderPaymentDeclined(no) if no.last_word => self.payment = Payment::Declined,
            OrderEvent::OrderPaymentDeclined(_) => self.payment = Payment::Doubtful,
            OrderEvent::OrderStepTimedOut(_) => {}
            OrderEvent::OrderStockCommitted(_) => self.stock = Stock::Committed,
            OrderEvent::OrderStockCommitRejected(_) => self.stock = Stock::Rejected,
            OrderEvent::OrderDispatchHeld(_) => self.shipment = Shipment::Held,
            OrderEvent::OrderDispatched(_) => self.dispatched(),
            OrderEvent::OrderShipmentFailed(_) => self.shipment = Shipment::Failed,
            OrderEvent::OrderStockConsumed(_) => self.stock = Stock::Consumed,
            OrderEvent::OrderDelivered(arrived) => self.delivered(arrived.collected),
            OrderEvent::OrderCancelRequested(wish) => self.cancel_requested(wish),
            OrderEvent::OrderCancelRejected(_) => self.cancel_rejected(),
            OrderEvent::OrderShipmentCancelled(_) => self.shipment = Shipment::Cancelled,
            OrderEvent::OrderFailing(failing) => {
                self.failure = Some(failing.reason);
                self.undo_in(Phase::Failing);
            }
            OrderEvent::OrderCancelling(_) => self.undo_in(Phase::Cancelling),
            OrderEvent::OrderPaymentUndone(moved) => self.undone(moved),
            OrderEvent::OrderStockReleased(_) => self.stock = Stock::Released,
            OrderEvent::OrderNeedsAttention(why) => {
                self.attention = Some(Name::from(why.reason.as_str()));
                self.phase = Phase::NeedsAttention;
            }
            OrderEvent::OrderCompleted(_) => self.phase = Phase::Completed,
            OrderEvent::OrderFailed(failed) => {
                self.failure = Some(failed.reason);
                self.phase = Phase::Failed;
            }
            OrderEvent::OrderCancelled(_) => self.phase = Phase::Cancelled,
        }
        self.undoing = self.undoing.iter().copied().filter(|undo| !self.settled(*undo)).collect();
        self.advance(event);
    }

    fn taken(&mut self, moved: &OrderMoney) {
        self.payment = Payment::Captured;
        self.captured = moved.amount.minor;
    }

    fn undone(&mut self, moved: &OrderMoney) {
        self.payment = Payment::Undone;
        self.returned = moved.amount.minor;
        // What was given back had been taken, even if nobody said so before.
        self.captured = self.captured.max(self.returned);
    }

    fn dispatched(&mut self) {
        self.shipment = Shipment::Dispatched;
        self.begin(|begins, payment| matches!(begins, Begin::Dispatched(at) if at.contains(&payment)));
    }

    fn delivered(&mut self, collected: Option<Money>) {
        self.shipment = Shipment::Delivered;
        self.collected = collected;
        let currency = self.total().map(|total| total.currency);
        if collected.is_some_and(|money| Some(money.currency) == currency) {
            self.begin(|begins, payment| matches!(begins, Begin::Delivered(at) if at.contains(&payment)));
        }
    }

    fn cancel_requested(&mut self, wish: &CancelOrder) {
        self.cancel = Some(CancelWish { by: wish.by.clone(), reason: wish.reason.clone() });
        self.phase = Phase::CancelRequested;
        if self.started.contains(&StepName::Ship) {
            self.undoing.insert(Undo::CancelShipment);
        }
    }

    fn cancel_rejected(&mut self) {
        self.cancel = None;
        self.undoing.remove(&Undo::CancelShipment);
        self.phase = if self.has_left() { Phase::Fulfilling } else { Phase::Confirmed };
    }

    /// Goes on to the next step, if `event` is the success of the one under way, and its money is all that is due.
    fn advance(&mut self, event: &OrderEvent) {
        let Some(step) = self.under_way() else { return };
        if !step.succeeded_by.contains(&event.kind()) || !self.is_whole(event) {
            return;
        }
        match self.plan().after(step.name) {
            Some(next) => self.take(Some(next)),
            None => self.phase = Phase::Fulfilling,
        }
    }

    fn is_whole(&self, event: &OrderEvent) -> bool {
        if let OrderEvent::OrderPaymentAuthorized(moved)
        | OrderEvent::OrderPaymentCaptured(moved)
        | OrderEvent::OrderPaymentPromised(moved) = event
        {
            return Some(moved.amount) == self.total();
        }
        true
    }

    fn take(&mut self, step: Option<&'static Step>) {
        let Some(step) = step else { return };
        self.started.insert(step.name);
        self.phase = step.phase.unwrap_or(self.phase);
    }

    fn begin(&mut self, when: impl Fn(Begin, Payment) -> bool) {
        let payment = self.payment;
        let due = self.plan().steps.iter().filter(|step| when(step.begins, payment));
        self.started.extend(due.map(|step| step.name));
    }

    fn undo_in(&mut self, phase: Phase) {
        self.phase = phase;
        self.undoing = self.to_undo();
    }
}
