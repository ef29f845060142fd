//! The invariants about an order's way: legal steps, an end that stays, and events that can all be read.

use super::held::Held;
use crate::{event::order::OrderEvent, order::Phase, projection::Facts};

/// 10: nothing is recorded of an order after its end.
pub(super) fn terminal_is_final(facts: &Facts) -> Held {
    let end = facts.orders.iter().position(|event| {
        matches!(
            event,
            OrderEvent::OrderCompleted(_) | OrderEvent::OrderFailed(_) | OrderEvent::OrderCancelled(_)
        )
    });
    let Some(end) = end else { return Ok(()) };
    let later = facts.orders.len() - end - 1;
    if later > 0 { Err(format!("{later} events were recorded after its end")) } else { Ok(()) }
}

/// 11: each phase follows from the one before by the table of legal steps.
pub(super) fn legal_transitions(facts: &Facts) -> Held {
    let phases = facts.phases();
    let illegal = phases.windows(2).find(|pair| !may_follow(pair[0], pair[1]));
    if let Some(pair) = illegal {
        return Err(format!("it went from {} to {}, which is no legal step", pair[0], pair[1]));
    }
    if facts.placed().is_none() && !facts.orders.is_empty() {
        return Err("its first event is not that it was placed".to_owned());
    }
    Ok(())
}

/// 20, by order: every event can be read.
pub(super) fn everything_is_readable(facts: &Facts) -> Held {
    if facts.unread.is_empty() { Ok(()) } else { Err(facts.unread.join("; ")) }
}

fn may_follow(from: Phase, to: Phase) -> bool {
    use Phase as P;
    match from {
        P::Unplaced => to == P::Reserving,
        P::Reserving => matches!(to, P::AwaitingPayment | P::Failing | P::Failed) || interrupts(to),
        P::AwaitingPayment => matches!(to, P::Committing | P::Failing) || interrupts(to),
        P::Committing => matches!(to, P::Confirmed | P::Failing) || interrupts(to),
        P::Confirmed => matches!(to, P::Fulfilling | P::Failing) || interrupts(to),
        P::Fulfilling => matches!(to, P::Completed | P::NeedsAttention),
        P::CancelRequested => {
            matches!(to, P::Cancelling | P::Failing | P::Confirmed | P::Fulfilling | P::NeedsAttention)
        }
        P::Cancelling => matches!(to, P::Cancelled | P::NeedsAttention),
        P::Failing => matches!(to, P::Failed | P::NeedsAttention),
        P::NeedsAttention => matches!(to, P::Cancelling | P::Failing | P::Fulfilling),
        P::Completed | P::Cancelled | P::Failed => false,
    }
}

fn interrupts(to: Phase) -> bool {
    matches!(to, Phase::CancelRequested | Phase::NeedsAttention)
}
