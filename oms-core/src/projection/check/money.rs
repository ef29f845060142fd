//! The invariants about an order's money: nothing is charged twice, kept without need, or forgotten.

use super::held::Held;
use crate::{
    event::{order::OrderEvent, payment::PaymentEvent},
    money::Money,
    order::Phase,
    projection::{Facts, Funds},
};

/// 5: what was taken is at most what is due, unless the excess was asked back.
pub(super) fn no_double_charge(facts: &Facts) -> Held {
    let due = facts.placed().map_or(0, |placed| i128::from(placed.total.minor));
    let (mut captured, mut asked_back) = (0_i128, 0_i128);
    for event in &facts.payments {
        match event {
            PaymentEvent::PaymentCaptured(moved) => captured += i128::from(moved.amount.minor),
            PaymentEvent::RefundRequested(moved) => asked_back += i128::from(moved.amount.minor),
            // The other events take nothing.
            _ => {}
        }
    }
    let excess = captured - due;
    if excess > asked_back.max(0) && excess > 0 {
        return Err(format!("{captured} was taken and {due} is due; refund the excess of {excess}"));
    }
    Ok(())
}

/// 6: taken is at most what was reserved, given back at most what was taken, and nothing taken is voided; at every event.
pub(super) fn within_what_was_taken(facts: &Facts) -> Held {
    let (mut funds, mut two_steps) = (Funds::default(), false);
    for event in &facts.payments {
        let open = funds.captured - funds.refunded;
        two_steps |= matches!(event, PaymentEvent::PaymentAuthorized(_));
        funds.add(event);
        if two_steps && funds.captured > funds.authorised {
            return Err(format!("{} was taken of {} reserved", funds.captured, funds.authorised));
        }
        if funds.refunded > funds.captured {
            return Err(format!("{} was given back of {} taken", funds.refunded, funds.captured));
        }
        if matches!(event, PaymentEvent::PaymentVoided(_)) && open > 0 {
            return Err(format!("a payment of which {open} was taken is voided; refund it instead"));
        }
    }
    Ok(())
}

/// 7: a completed order keeps its total, one that failed or was cancelled keeps nothing.
pub(super) fn keeps_what_it_should(facts: &Facts) -> Held {
    let kept = facts.funds().kept();
    let due = facts.placed().map_or(0, |placed| i128::from(placed.total.minor));
    let wanted = if facts.phase() == Phase::Completed { due } else { 0 };
    if kept != wanted {
        return Err(format!("{kept} is kept, and {wanted} should be"));
    }
    Ok(())
}

/// 8: an undone order has nothing reserved or taken that was not let go, and no payment that may still succeed.
pub(super) fn undone_is_refunded(facts: &Facts) -> Held {
    if facts.phase() == Phase::Completed {
        return Ok(());
    }
    let funds = facts.funds();
    let reserved = funds.authorised - funds.captured - funds.voided;
    if reserved > 0 {
        return Err(format!("{reserved} is still reserved at the provider; void it"));
    }
    if funds.kept() > 0 {
        return Err(format!("{} was taken and not given back; refund it", funds.kept()));
    }
    if unsettled(facts) {
        return Err("the payment may still succeed, and the order has ended".to_owned());
    }
    Ok(())
}

/// 12: what has left was guaranteed by an authorisation, a capture or a promise, and was never undone before.
pub(super) fn ships_only_what_is_guaranteed(facts: &Facts) -> Held {
    if !facts.parcel().has_left() {
        return Ok(());
    }
    let guaranteed = facts.payments.iter().any(|event| {
        matches!(
            event,
            PaymentEvent::PaymentAuthorized(_)
                | PaymentEvent::PaymentCaptured(_)
                | PaymentEvent::CodAccepted(_)
        )
    });
    let left = facts.orders.iter().position(|event| matches!(event, OrderEvent::OrderDispatched(_)));
    let heard = facts.orders[..left.unwrap_or(facts.orders.len())].iter().any(|event| {
        matches!(
            event,
            OrderEvent::OrderPaymentAuthorized(_)
                | OrderEvent::OrderPaymentCaptured(_)
                | OrderEvent::OrderPaymentPromised(_)
        )
    });
    if !guaranteed || !heard {
        return Err("the parcel has left, and nothing guaranteed its payment before".to_owned());
    }
    Ok(())
}

/// 15: the total is the sum of the lines, in one currency, and what is asked of provider and courier is that total.
pub(super) fn total_adds_up(facts: &Facts) -> Held {
    let Some(placed) = facts.placed() else { return Ok(()) };
    let line = |price: i64, quantity: u32| i128::from(price) * i128::from(quantity);
    let sum: i128 = placed.lines.iter().map(|each| line(each.unit_price, each.quantity)).sum();
    if sum != i128::from(placed.total.minor) || placed.total.currency != placed.currency {
        return Err(format!(
            "the lines add up to {sum} {}, and the total is {}",
            placed.currency, placed.total
        ));
    }
    for event in &facts.payments {
        if let PaymentEvent::PaymentRequested(asked) = event {
            equals(asked.amount, placed.total, "was asked of the customer")?;
        }
    }
    let moved = |money: Money| money.currency == placed.currency;
    if !amounts(facts).all(moved) {
        return Err(format!("money moved in another currency than {}", placed.currency));
    }
    Ok(())
}

fn equals(amount: Money, due: Money, what: &str) -> Held {
    if amount == due { Ok(()) } else { Err(format!("{amount} {what}, and {due} is due")) }
}

fn amounts(facts: &Facts) -> impl Iterator<Item = Money> {
    facts.payments.iter().filter_map(|event| match event {
        PaymentEvent::PaymentAuthorized(moved)
        | PaymentEvent::PaymentCaptured(moved)
        | PaymentEvent::CodAccepted(moved)
        | PaymentEvent::PaymentVoided(moved)
        | PaymentEvent::RefundRequested(moved)
        | PaymentEvent::PaymentRefunded(moved) => Some(moved.amount),
        _ => None,
    })
}

/// Whether the payment waits for a word that has not come.
fn unsettled(facts: &Facts) -> bool {
    facts.payments.iter().fold(false, |open, event| match event {
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentActionRequired(_)
        | PaymentEvent::PaymentPending(_)
        | PaymentEvent::CodAccepted(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::PaymentCancelRequested(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::PaymentUndoFailed(_) => true,
        PaymentEvent::PaymentDeclined(declined) => !declined.last_word,
        PaymentEvent::PaymentVoided(_)
        | PaymentEvent::PaymentRefunded(_)
        | PaymentEvent::PaymentNotStarted(_) => false,
        // Reserved and taken amounts are counted; a failed capture leaves the reserved amount to be counted.
        PaymentEvent::PaymentAuthorized(_)
        | PaymentEvent::PaymentCaptured(_)
        | PaymentEvent::CaptureFailed(_) => open,
    })
}
