//! The decisions: what an order makes of what it hears, guarded by its phase, so that late and repeated words change nothing.

mod cancel;
mod inventory;
mod payment;
mod refusal;
mod shipping;
mod turn;

pub use refusal::Refusal;

use super::{plan::Step, state::Order};
use crate::event::{
    inventory::InventoryEvent,
    order::{CancelOrder, FailureReason, OrderEvent},
    payment::PaymentEvent,
    shipping::ShippingEvent,
};
use turn::Turn;

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
        let mut turn = Turn::new(self, placed);
        match input {
            Input::Cancel(wish) => cancel::hear(&mut turn, wish)?,
            _ if self.phase.is_terminal() => {}
            Input::Stock(event) => inventory::hear(&mut turn, event),
            Input::Payment(event) => payment::hear(&mut turn, event),
            Input::Shipment(event) => shipping::hear(&mut turn, event),
            Input::Deadline => timed_out(&mut turn),
        }
        Ok(turn.close())
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
