//! What a worker that keeps the contract never asks to be written.

use oms_core::{
    message::{GroupLane, Pack},
    store::{Consumed, End, StoreError, StreamId, Then, Write, Writes},
};
use std::collections::BTreeSet;

/// Refuses writes that contradict themselves, before anything is written.
pub(super) fn sound(lane: &GroupLane, position: u64, writes: &Writes) -> Result<(), StoreError> {
    let written: BTreeSet<&StreamId> = writes.streams.iter().map(|write| &write.stream).collect();
    if written.len() < writes.streams.len() {
        return Err(StoreError::Misused("a stream is written twice in one turn"));
    }
    if !writes.streams.iter().all(is_counted) {
        return Err(StoreError::Misused("a write's version, events, causes and state do not agree"));
    }
    if writes.alarms.iter().any(|stream| !written.contains(stream)) {
        return Err(StoreError::Misused("an alarm of a stream that is not written"));
    }
    let mut places = (position..).zip(&writes.packs);
    let is_placed = |(position, pack): (u64, &Pack)| {
        pack.id.sender == *lane && pack.id.position == position && !pack.keys.is_empty()
    };
    if !places.all(is_placed) {
        return Err(StoreError::Misused(
            "packs must hold messages, be of this lane, and count up from its position",
        ));
    }
    if !writes.consumed.iter().all(|consumed| is_renewed(consumed, writes)) {
        return Err(StoreError::Misused("a release is parked again without its message"));
    }
    if is_once(writes) { Ok(()) } else { Err(StoreError::Conflict) }
}

fn is_counted(write: &Write) -> bool {
    let events = write.events.len();
    let next = write.expected + events as u64;
    events > 0 && write.causes.len() == events && write.next.version == next && write.next.state.is_some()
}

fn is_renewed(consumed: &Consumed, writes: &Writes) -> bool {
    match consumed {
        Consumed::Released { seq, end: End::Parked } => {
            writes.parked.iter().any(|parked| parked.again == Some(*seq))
        }
        Consumed::Released { seq: _, end: End::Handled | End::Buried } => true,
        Consumed::Owed { .. } | Consumed::Due { .. } => true,
        Consumed::Redriven { .. } | Consumed::Answered { .. } => true,
    }
}

/// Nothing is consumed twice in one commit, and no wish answered that has gone.
fn is_once(writes: &Writes) -> bool {
    let (mut seqs, mut numbers, mut gone) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    writes.consumed.iter().all(|consumed| match consumed {
        Consumed::Released { seq, .. } => seqs.insert(*seq),
        Consumed::Redriven { number, .. } => numbers.insert(*number),
        Consumed::Answered { effect, then: Then::Gone } => gone.insert(effect),
        Consumed::Answered { effect, then: Then::Kept | Then::LetGo { .. } } => !gone.contains(effect),
        Consumed::Owed { .. } | Consumed::Due { .. } => true,
    }) && writes.judged.iter().all(|(number, _)| numbers.insert(*number))
}
