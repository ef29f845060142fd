//! Stuck orders: those that will not end by themselves, and why.

use super::{
    facts::Facts,
    figures::Parcel,
    read::{Walk, facts},
};
use crate::{
    clock::Timestamp,
    id::{Name, OrderId},
    order::Phase,
    store::{DeadLetterState, Pick, Seek, Store, StoreError, Waiting},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

const PAGE: usize = 500;

/// Why an order does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// A person was asked to look.
    NeedsAttention {
        /// Why.
        reason: String,
    },
    /// One of its messages was given up.
    DeadLetter {
        /// The dead letter's number, for showing and redriving it.
        number: u64,
        /// The group that failed.
        group: String,
        /// The message's wire name.
        message: String,
        /// The last error.
        error: String,
    },
    /// Nothing of it is owed, parked, wished or due.
    NothingInFlight,
}

/// A dead letter as a reason, and when it was buried.
pub(super) type Letter = (Reason, Timestamp);

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NeedsAttention { reason } => write!(out, "a person must look: {reason}"),
            Reason::DeadLetter { number, group, message, error } => {
                write!(out, "dead letter {number}: {group} gave up {message}: {error}")
            }
            Reason::NothingInFlight => write!(out, "nothing is in flight for it; a message was lost"),
        }
    }
}

/// An order that will not end by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stuck {
    /// The order.
    pub order: OrderId,
    /// The phase it is stuck in.
    pub phase: Phase,
    /// Why.
    pub reason: Reason,
    /// Since when: a person was asked, the message was buried, or the newest of its events was recorded.
    pub since: Timestamp,
}

/// Judges one order: `waiting` is what is in flight for it, `letter` its first buried dead letter, and when it was buried.
///
/// An order whose dispatch is held waits for a person by wish, and is not stuck.
#[must_use]
pub fn judge(facts: &Facts, waiting: &[Waiting], letter: Option<&(Reason, Timestamp)>) -> Option<Stuck> {
    let phase = facts.phase();
    if phase.is_terminal() || phase == Phase::Unplaced {
        return None;
    }
    let asked = facts.asked.unwrap_or(facts.newest);
    let attention = facts.attention().map(|reason| (Reason::NeedsAttention { reason }, asked));
    let idle = waiting.is_empty() && facts.parcel() != Parcel::Held;
    let found = attention.or_else(|| letter.cloned());
    let (reason, since) = found.or(idle.then_some((Reason::NothingInFlight, facts.newest)))?;
    Some(Stuck { order: facts.order.clone(), phase, reason, since })
}

/// Finds all stuck orders, in order of id. Exact while nothing is being handled; otherwise a snapshot of a moving house.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn stuck(store: &dyn Store) -> Result<Vec<Stuck>, StoreError> {
    let letters = letters(store).await?;
    let mut found = Vec::new();
    let mut walk = Walk::new(store, "order");
    while let Some(page) = walk.next().await? {
        for (id, _) in page {
            let Ok(order) = OrderId::new(&id.id) else { continue };
            let facts = facts(store, &order).await?;
            found.extend(judge_stored(store, &facts, &letters).await?);
        }
    }
    Ok(found)
}

pub(super) async fn judge_stored(
    store: &dyn Store,
    facts: &Facts,
    letters: &BTreeMap<Name, Letter>,
) -> Result<Option<Stuck>, StoreError> {
    if facts.phase().is_terminal() {
        return Ok(None);
    }
    let waiting = store.waiting(Some(facts.order.as_str()), 1).await?;
    Ok(judge(facts, &waiting, letters.get(facts.order.as_str())))
}

/// The first buried dead letter of each key.
pub(super) async fn letters(store: &dyn Store) -> Result<BTreeMap<Name, Letter>, StoreError> {
    let (mut first, mut after) = (BTreeMap::new(), 0);
    let buried = Pick { state: Some(DeadLetterState::Buried), ..Pick::default() };
    loop {
        let page = store.dead_letters(&buried, Seek::After(after), PAGE).await?;
        let Some(last) = page.last() else { return Ok(first) };
        after = last.number;
        for letter in page {
            let envelope = &letter.message.envelope;
            let reason = Reason::DeadLetter {
                number: letter.number,
                group: letter.lane.group.to_string(),
                message: envelope.kind.to_string(),
                error: letter.error.to_string(),
            };
            first.entry(Name::clone(envelope.key.text())).or_insert((reason, letter.time));
        }
    }
}
