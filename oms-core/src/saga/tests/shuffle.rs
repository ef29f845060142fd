//! Anything in any order: whatever is said to an order, it takes legal steps to at most one end.

use super::step;
use crate::order::{
    Order, Phase,
    fixture::{DUE, Say, placed},
};
use proptest::{collection::vec, prelude::*, sample::select};

const WORDS: [Say; 28] = [
    Say::Reserved,
    Say::Short,
    Say::Committed,
    Say::CommitRejected,
    Say::Released,
    Say::Consumed,
    Say::Authorized(DUE),
    Say::Authorized(DUE - 1),
    Say::Captured(DUE),
    Say::Captured(i64::MAX),
    Say::CodAccepted,
    Say::Pending,
    Say::Doubted,
    Say::Declined,
    Say::CaptureFailed,
    Say::Voided,
    Say::Refunded(DUE),
    Say::Refunded(i64::MIN),
    Say::NotStarted,
    Say::UndoFailed,
    Say::Held,
    Say::Dispatched,
    Say::Delivered(None),
    Say::Delivered(Some(DUE)),
    Say::Refused,
    Say::Stopped,
    Say::Cancel,
    Say::Deadline,
];

/// The phases that may follow in one decision.
fn legal(from: Phase) -> &'static [Phase] {
    match from {
        Phase::Unplaced => &[Phase::Reserving],
        Phase::Reserving => {
            &[Phase::AwaitingPayment, Phase::Failing, Phase::Failed, Phase::Cancelling, Phase::Cancelled]
        }
        Phase::AwaitingPayment => {
            &[Phase::Committing, Phase::Failing, Phase::Failed, Phase::Cancelling, Phase::NeedsAttention]
        }
        Phase::Committing => {
            &[Phase::Confirmed, Phase::Failing, Phase::Failed, Phase::Cancelling, Phase::NeedsAttention]
        }
        Phase::Confirmed => {
            &[Phase::Fulfilling, Phase::CancelRequested, Phase::Failing, Phase::Failed, Phase::NeedsAttention]
        }
        Phase::Fulfilling => &[Phase::Completed, Phase::NeedsAttention],
        Phase::CancelRequested => {
            &[Phase::Cancelling, Phase::Confirmed, Phase::Fulfilling, Phase::NeedsAttention]
        }
        Phase::Cancelling => &[Phase::Cancelled, Phase::NeedsAttention],
        Phase::Failing => &[Phase::Failed, Phase::NeedsAttention],
        Phase::NeedsAttention | Phase::Completed | Phase::Cancelled | Phase::Failed => &[],
    }
}

/// Words that lead far, so that chance need not find the way.
fn story() -> impl Strategy<Value = Vec<Say>> {
    let happy = [
        Say::Reserved,
        Say::Authorized(DUE),
        Say::Committed,
        Say::Dispatched,
        Say::Captured(DUE),
        Say::Consumed,
        Say::Delivered(None),
    ];
    (0..=happy.len(), vec(select(WORDS.to_vec()), 0..40))
        .prop_map(move |(length, rest)| happy[..length].iter().copied().chain(rest).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_words_lead_by_legal_steps_to_at_most_one_end(words in story()) {
        let mut order = placed("card");
        for say in words {
            let before = order.clone();
            let (events, told) = step(&mut order, say).unwrap_or_default();
            let (from, to) = (before.phase(), order.phase());
            prop_assert!(from == to || legal(from).contains(&to), "{from} -> {to} by {say:?}");
            prop_assert!(!before.phase().is_terminal() || (events.is_empty() && told.is_empty()));
            prop_assert!(!events.is_empty() || (order == before && told.is_empty()), "no event, no change");
            let ends = events.iter().filter(|kind| ["OrderCompleted", "OrderFailed", "OrderCancelled"].contains(kind));
            prop_assert_eq!(ends.count(), usize::from(order.phase().is_terminal() && from != to));
        }
    }

    #[test]
    fn the_same_word_said_again_at_once_changes_nothing(words in story()) {
        let mut order = placed("card");
        for say in words {
            // A deadline is never reached twice: the second one would be another step's.
            let first = order.hear(say);
            if say != Say::Deadline && first.is_ok() {
                let after = order.clone();
                let (events, told) = step(&mut order, say).unwrap_or_default();
                prop_assert!(events.is_empty() && told.is_empty(), "{say:?} said {events:?}");
                prop_assert_eq!(&order, &after);
            }
        }
    }

    #[test]
    fn a_replay_of_the_events_is_the_state_and_so_is_what_was_stored(words in story()) {
        let first = placed("card");
        let mut order = first.clone();
        let mut replayed = first.clone();
        for say in words {
            for event in order.hear(say).unwrap_or_default() {
                replayed.evolve(&event);
            }
            let stored = serde_json::to_vec(&order).unwrap_or_default();
            let mut read: Order = serde_json::from_slice(&stored).map_err(|error| TestCaseError::fail(error.to_string()))?;
            read.restore(first.placed().cloned().unwrap_or_else(|| unreachable!("it was placed")));
            prop_assert_eq!(&read, &order);
        }
        prop_assert_eq!(replayed, order);
    }
}
