//! What an order makes of the payment service's words.

use super::turn::Turn;
use crate::{
    event::{
        order::{FailureReason, OrderDeclined, OrderEvent},
        payment::{PaymentDeclined, PaymentEvent},
    },
    money::Money,
    order::{
        facet::{Payment, Phase},
        plan::{StepName, Undo},
    },
};

pub(super) fn hear(turn: &mut Turn<'_>, event: &PaymentEvent) {
    match event {
        PaymentEvent::PaymentAuthorized(moved) => {
            guaranteed(turn, moved.amount, OrderEvent::OrderPaymentAuthorized)
        }
        PaymentEvent::CodAccepted(moved) => guaranteed(turn, moved.amount, OrderEvent::OrderPaymentPromised),
        PaymentEvent::PaymentCaptured(moved) => captured(turn, moved.amount),
        PaymentEvent::PaymentDeclined(declined) => refused(turn, declined),
        PaymentEvent::CaptureFailed(failed) => capture_failed(turn, failed),
        PaymentEvent::PaymentVoided(_) | PaymentEvent::PaymentNotStarted(_) => {
            undone(turn, Money::zero(turn.placed.total.currency));
        }
        PaymentEvent::PaymentRefunded(moved) => undone(turn, moved.amount),
        PaymentEvent::PaymentUndoFailed(failed) => undo_failed(turn, failed),
        // Recorded by the payment service for its own story.
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentActionRequired(_)
        | PaymentEvent::PaymentPending(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCancelRequested(_)
        | PaymentEvent::RefundRequested(_) => {}
    }
}

fn guaranteed(turn: &mut Turn<'_>, amount: Money, event: fn(crate::event::order::OrderMoney) -> OrderEvent) {
    if turn.before.phase != Phase::AwaitingPayment {
        return;
    }
    turn.say(event(turn.money(amount)));
    require_whole(turn, amount);
}

fn captured(turn: &mut Turn<'_>, amount: Money) {
    if turn.is_undoing() {
        // Not the undo's answer: the payment service gives it back, and says so.
        if turn.before.undoing.contains(&Undo::CancelPayment) && turn.payment() != Payment::Captured {
            turn.say(OrderEvent::OrderPaymentCapturedLate(turn.money(amount)));
        }
        return;
    }
    let awaited = match turn.payment() {
        Payment::Unknown => turn.before.phase == Phase::AwaitingPayment,
        Payment::Authorized | Payment::Promised => true,
        // Doubtful and declined payments are being undone; a captured one was taken before.
        Payment::Doubtful | Payment::Declined | Payment::Captured | Payment::Undone => false,
    };
    if awaited {
        turn.say(OrderEvent::OrderPaymentCaptured(turn.money(amount)));
        require_whole(turn, amount);
    }
}

fn require_whole(turn: &mut Turn<'_>, amount: Money) {
    let due = turn.placed.total;
    if amount != due && turn.now.phase != Phase::NeedsAttention {
        turn.attend(format!(
            "{amount} was paid or promised, and {due} is due: refund or collect the difference"
        ));
    }
}

fn refused(turn: &mut Turn<'_>, declined: &PaymentDeclined) {
    let cancelling = turn.before.undoing.contains(&Undo::CancelPayment);
    let awaited = turn.before.phase == Phase::AwaitingPayment;
    // While it is being undone only the last word is news: nothing was taken, and nothing will be.
    let last = cancelling && declined.last_word && turn.payment() != Payment::Captured;
    if !awaited && !last {
        return;
    }
    let reason = declined.reason.clone();
    let order = turn.order();
    turn.say(OrderEvent::OrderPaymentDeclined(OrderDeclined {
        order,
        last_word: declined.last_word,
        reason,
    }));
    if awaited {
        turn.fail(FailureReason::PaymentDeclined);
    }
}

fn capture_failed(turn: &mut Turn<'_>, failed: &PaymentDeclined) {
    let capturing = turn.before.started.contains(&StepName::Capture) && turn.payment() == Payment::Authorized;
    if capturing && turn.before.phase == Phase::Fulfilling {
        turn.attend(format!("the parcel has left, and its payment cannot be taken: {}", failed.reason));
    }
}

fn undone(turn: &mut Turn<'_>, returned: Money) {
    if !turn.before.undoing.contains(&Undo::CancelPayment) {
        return;
    }
    turn.say(OrderEvent::OrderPaymentUndone(turn.money(returned)));
    let kept = turn.now.captured.saturating_sub(turn.now.returned);
    let known = returned.currency == turn.placed.total.currency;
    if (kept != 0 || !known) && turn.now.phase != Phase::NeedsAttention {
        let captured = Money::new(turn.now.captured, turn.placed.total.currency);
        turn.attend(format!("{captured} was taken, and {returned} given back: settle the difference"));
    }
}

fn undo_failed(turn: &mut Turn<'_>, failed: &PaymentDeclined) {
    let waiting = turn.before.undoing.contains(&Undo::CancelPayment);
    if waiting && turn.before.phase != Phase::NeedsAttention {
        turn.attend(format!("the payment cannot be undone: {}", failed.reason));
    }
}
