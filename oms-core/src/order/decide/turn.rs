//! One decision in the making: what was said so far, and the order after it.

use crate::{
    event::order::{FailureReason, OrderEvent, OrderFact, OrderFailing, OrderMoney, OrderPlaced, OrderWhy},
    id::OrderId,
    money::Money,
    order::{
        facet::{Payment, Phase, Shipment, Stock},
        plan::Undo,
        state::Order,
    },
};

/// One decision in the making: what was said so far, and the order after it.
pub(super) struct Turn<'a> {
    pub(super) before: &'a Order,
    pub(super) now: Order,
    pub(super) placed: &'a OrderPlaced,
    events: Vec<OrderEvent>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(before: &'a Order, placed: &'a OrderPlaced) -> Self {
        Self { before, now: before.clone(), placed, events: Vec::new() }
    }

    /// Records an event.
    pub(super) fn say(&mut self, event: OrderEvent) {
        self.now.evolve(&event);
        self.events.push(event);
    }

    /// Begins to undo everything, or fails at once when there is nothing to undo.
    pub(super) fn fail(&mut self, reason: FailureReason) {
        let failing = OrderFailing { order: self.order(), reason };
        if self.now.to_undo().is_empty() {
            self.say(OrderEvent::OrderFailed(failing));
        } else {
            self.say(OrderEvent::OrderFailing(failing));
        }
    }

    pub(super) fn attend(&mut self, reason: String) {
        self.say(OrderEvent::OrderNeedsAttention(self.why(reason)));
    }

    /// Ends the order, if what was said leaves nothing to wait for; gives everything that was said.
    pub(super) fn close(mut self) -> Vec<OrderEvent> {
        let settled = self.now.undoing.is_empty();
        match self.now.phase {
            Phase::Failing if settled => {
                let reason = self.now.failure.unwrap_or(FailureReason::StockTimeout);
                self.say(OrderEvent::OrderFailed(OrderFailing { order: self.order(), reason }));
            }
            Phase::Cancelling if settled => {
                let reason = self.now.cancel.as_ref().map_or_else(String::new, |wish| wish.reason.clone());
                self.say(OrderEvent::OrderCancelled(self.why(reason)));
            }
            Phase::Fulfilling if self.is_done() => self.say(OrderEvent::OrderCompleted(self.fact())),
            Phase::Failing
            | Phase::Cancelling
            | Phase::Fulfilling
            | Phase::Unplaced
            | Phase::Reserving
            | Phase::AwaitingPayment
            | Phase::Committing
            | Phase::Confirmed
            | Phase::CancelRequested
            | Phase::NeedsAttention
            | Phase::Completed
            | Phase::Cancelled
            | Phase::Failed => {}
        }
        self.events
    }

    fn is_done(&self) -> bool {
        let now = &self.now;
        now.shipment == Shipment::Delivered && now.stock == Stock::Consumed && now.is_paid()
    }

    /// Whether everything is being undone, or was until a person was asked to look.
    pub(super) fn is_undoing(&self) -> bool {
        match self.before.phase {
            Phase::Failing | Phase::Cancelling => true,
            Phase::NeedsAttention => self.before.undoing.contains(&Undo::CancelPayment),
            Phase::Unplaced
            | Phase::Reserving
            | Phase::AwaitingPayment
            | Phase::Committing
            | Phase::Confirmed
            | Phase::Fulfilling
            | Phase::CancelRequested
            | Phase::Completed
            | Phase::Cancelled
            | Phase::Failed => false,
        }
    }

    pub(super) fn order(&self) -> OrderId {
        self.placed.order.clone()
    }

    pub(super) fn fact(&self) -> OrderFact {
        OrderFact { order: self.order() }
    }

    pub(super) fn why(&self, reason: String) -> OrderWhy {
        OrderWhy { order: self.order(), reason }
    }

    pub(super) fn money(&self, amount: Money) -> OrderMoney {
        OrderMoney { order: self.order(), amount }
    }

    pub(super) fn payment(&self) -> Payment {
        self.before.payment
    }
}
