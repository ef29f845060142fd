//! What a worker that keeps the contract never asks to be written; every store decides by this.

use super::{Consumed, End, StoreError, Then, Write, Writes};
use crate::{
    id::StreamId,
    message::{GroupLane, MAX_LANES, Pack},
};
use std::collections::BTreeSet;

impl Writes {
    /// Refuses what contradicts itself, before anything is written: `position` is that of the first pack, in this lane.
    ///
    /// ```
    /// use oms_core::{message::GroupLane, store::Writes};
    /// assert!(Writes::default().sound(&GroupLane::new("order", 0), 1).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Misused`], which says what does not agree.
    pub fn sound(&self, lane: &GroupLane, position: u64) -> Result<(), StoreError> {
        let written: BTreeSet<&StreamId> = self.streams.iter().map(|write| &write.stream).collect();
        let mut places = (position..).zip(&self.packs);
        let is_placed = |(position, pack): (u64, &Pack)| {
            pack.id.sender == *lane && pack.id.position == position && !pack.keys.is_empty()
        };
        let holds = [
            (written.len() == self.streams.len(), "a stream is written twice in one turn"),
            (self.streams.iter().all(is_counted), "a write's version, events, causes and state do not agree"),
            (
                self.alarms.iter().all(|stream| written.contains(stream)),
                "an alarm of a stream that is not written",
            ),
            (
                places.all(is_placed),
                "packs must hold messages, be of this lane, and count up from its position",
            ),
            (
                self.consumed.iter().all(|consumed| self.is_renewed(consumed)),
                "a release is parked again without its message",
            ),
        ];
        match holds.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(StoreError::Misused(why)),
            None => Ok(()),
        }
    }

    /// Whether nothing is consumed twice, and no wish answered that has gone; else the commit is a conflict.
    #[must_use]
    pub fn is_once(&self) -> bool {
        let (mut owed, mut seqs, mut numbers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut gone = BTreeSet::new();
        self.consumed.iter().all(|consumed| match consumed {
            Consumed::Owed { pack, indexes, .. } => indexes.iter().all(|index| owed.insert((pack, *index))),
            Consumed::Released { seq, .. } => seqs.insert(*seq),
            Consumed::Redriven { number, .. } => numbers.insert(*number),
            Consumed::Answered { effect, then: Then::Gone } => gone.insert(effect),
            Consumed::Answered { effect, then: Then::Kept | Then::LetGo { .. } } => !gone.contains(effect),
            Consumed::Due { .. } => true,
        }) && self.judged.iter().all(|(number, _)| numbers.insert(*number))
    }

    fn is_renewed(&self, consumed: &Consumed) -> bool {
        match consumed {
            Consumed::Released { seq, end: End::Parked } => {
                self.parked.iter().any(|parked| parked.again == Some(*seq))
            }
            Consumed::Released { seq: _, end: End::Handled | End::Buried } => true,
            Consumed::Owed { .. } | Consumed::Due { .. } => true,
            Consumed::Redriven { .. } | Consumed::Answered { .. } => true,
        }
    }
}

fn is_counted(write: &Write) -> bool {
    let events = write.events.len();
    let next = write.expected + events as u64;
    events > 0 && write.causes.len() == events && write.next.version == next && write.next.state.is_some()
}

/// Refuses a number of lanes that makes no sense, or is not that of the store (rule 22); `known` is 0 while it has none.
///
/// # Errors
/// [`StoreError::Unfit`], which says what to take.
pub fn lanes_fit(wanted: u16, known: u16) -> Result<(), StoreError> {
    if wanted == 0 || wanted > MAX_LANES {
        return Err(StoreError::Unfit(format!("{wanted} lanes make no sense; take 1 to {MAX_LANES}")));
    }
    if known != 0 && known != wanted {
        return Err(StoreError::Unfit(format!(
            "this store has {known} lanes, not {wanted}; take {known}, or a new store"
        )));
    }
    Ok(())
}
