//! The decisions: what an order makes of what it hears, guarded by its phase, so that late and repeated words change nothing.

mod cancel;
mod inventory;
mod payment;
mod shipping;

use super::{
    plan::{Step, Undo},
    state::{Order, Payment, Phase, Shipment, Stock},
};
use crate::{
    event::{
        inventory::InventoryEvent,
        order::{
            CancelOrder, FailureReason, OrderEvent, OrderFact, OrderFailing, OrderMoney, OrderPlaced,
            OrderWhy,
        },
        payment::PaymentEvent,
        shipping::ShippingEvent,
    },
    id::OrderId,
    money::Money,
};

/// What an order may hear.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// From the inventory service.
    Stock(&'a InventoryEvent),
    /// From the payment service.
    Payment(&'a PaymentEvent),
    /// From the shipping service.
    Shipment(&'a ShippingEvent),
    /// From outside.
    Cancel(&'a CancelOrder),
    /// The step under way was not answered in time.
    Deadline,
}

/// Why a request is refused, in words for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order cannot be cancelled: {}", .reasons.join(", "))]
pub struct Refusal {
    /// At least one reason.
    pub reasons: Vec<String>,
}

impl Order {
    /// Decides what an input changes: the events that happened, in order; none when it is late, repeated or not for now.
    ///
    /// A terminal order, and one that was never placed, changes by nothing.
    ///
    /// # Errors
    /// [`Refusal`] for a cancellation that is too late; no other input is ever refused.
    pub fn decide(&self, input: &Input<'_>) -> Result<Vec<OrderEvent>, Refusal> {
        let Some(placed) = &self.placed else {
            return match input {
                Input::Cancel(_) => Err(Refusal { reasons: vec!["this order was never placed".to_owned()] }),
                Input::Stock(_) | Input::Payment(_) | Input::Shipment(_) | Input::Deadline => Ok(Vec::new()),
            };
        };
        let mut turn = Turn { before: self, now: self.clone(), placed, events: Vec::new() };
        match input {
            Input::Cancel(wish) => cancel::hear(&mut turn, wish)?,
            _ if self.phase.is_terminal() => {}
            Input::Stock(event) => inventory::hear(&mut turn, event),
            Input::Payment(event) => payment::hear(&mut turn, event),
            Input::Shipment(event) => shipping::hear(&mut turn, event),
            Input::Deadline => timed_out(&mut turn),
        }
        turn.close();
        Ok(turn.events)
    }
}

fn timed_out(turn: &mut Turn<'_>) {
    let Some((step, reason)) = turn.before.under_way().and_then(deadline_of) else { return };
    turn.say(OrderEvent::OrderStepTimedOut(turn.why(step.name.to_string())));
    turn.fail(reason);
}

fn deadline_of(step: &'static Step) -> Option<(&'static Step, FailureReason)> {
    step.deadline.map(|(_, reason)| (step, reason))
}

/// One decision in the making: what was said so far, and the order after it.
struct Turn<'a> {
    before: &'a Order,
    now: Order,
    placed: &'a OrderPlaced,
    events: Vec<OrderEvent>,
}

impl Turn<'_> {
    fn say(&mut self, event: OrderEvent) {
        self.now.evolve(&event);
        self.events.push(event);
    }

    /// Begins to undo everything, or fails at once when there is nothing to undo.
    fn fail(&mut self, reason: FailureReason) {
        let failing = OrderFailing { order: self.order(), reason };
        if self.now.to_undo().is_empty() {
            self.say(OrderEvent::OrderFailed(failing));
        } else {
            self.say(OrderEvent::OrderFailing(failing));
        }
    }

    fn attend(&mut self, reason: String) {
        self.say(OrderEvent::OrderNeedsAttention(self.why(reason)));
    }

    /// Ends the order, if what was said leaves nothing to wait for.
    fn close(&mut self) {
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
    }

    fn is_done(&self) -> bool {
        let now = &self.now;
        now.shipment == Shipment::Delivered && now.stock == Stock::Consumed && now.is_paid()
    }

    /// Whether everything is being undone, or was until a person was asked to look.
    fn is_undoing(&self) -> bool {
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

    fn order(&self) -> OrderId {
        self.placed.order.clone()
    }

    fn fact(&self) -> OrderFact {
        OrderFact { order: self.order() }
    }

    fn why(&self, reason: String) -> OrderWhy {
        OrderWhy { order: self.order(), reason }
    }

    fn money(&self, amount: Money) -> OrderMoney {
        OrderMoney { order: self.order(), amount }
    }

    fn payment(&self) -> Payment {
        self.before.payment
    }
}
