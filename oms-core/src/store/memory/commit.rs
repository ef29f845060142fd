//! A commit: everything is checked first, then everything is written.

#[cfg(oms_mutants)]
use super::mutant::{Guard, lacks};
use super::state::State;
use crate::{
    clock::Timestamp,
    id::{Name, StreamId},
    message::GroupLane,
    store::{Consumed, End, PUBLIC, Right, StoreError, Then, Write, Writes},
};
use std::collections::BTreeSet;

/// What a turn read, and must still be so.
pub(super) struct Read {
    pub(super) right: Right,
    pub(super) revision: u64,
    pub(super) position: u64,
    pub(super) now: Timestamp,
}

/// Writes all of it, or nothing.
pub(super) fn commit(
    state: &mut State,
    read: &Read,
    writes: Writes,
    now: Timestamp,
) -> Result<(), StoreError> {
    sound(&writes, read)?;
    fenced(state, &read.right)?;
    let lane = read.right.lane();
    let free = |write: &Write| state.streams.version(&write.stream) == write.expected;
    let unclaimed = |key| state.effects.is_unclaimed(lane, key);
    let next = || state.positions.get(lane).copied().unwrap_or(0) < read.position;
    let there = || writes.consumed.iter().all(|consumed| is_there(state, lane, consumed));
    #[cfg(oms_mutants)]
    let (next, there) = (|| lacks(Guard::Position) || next(), || lacks(Guard::Consumed) || there());
    let holds = state.revision == read.revision
        && next()
        && writes.streams.iter().all(free)
        && writes.withdrawn.iter().all(unclaimed)
        && there()
        && writes.judged.iter().all(|(number, _)| is_judgeable(state, lane, *number))
        && once(&writes);
    if !holds {
        return Err(StoreError::Conflict);
    }
    apply(state, read, writes, now);
    Ok(())
}

/// Refuses a turn whose lane has changed hands.
pub(super) fn fenced(state: &State, right: &Right) -> Result<(), StoreError> {
    #[cfg(oms_mutants)]
    if lacks(Guard::Epoch) {
        return Ok(());
    }
    match right {
        Right::Fenced(lease) if !state.leases.holds(lease) => Err(StoreError::LostLease(lease.lane.clone())),
        Right::Fenced(_) | Right::Unfenced(_) => Ok(()),
    }
}

/// What a worker that keeps the contract never breaks.
fn sound(writes: &Writes, read: &Read) -> Result<(), StoreError> {
    let written: BTreeSet<_> = writes.streams.iter().map(|write| &write.stream).collect();
    let counted = |write: &Write| {
        let count = write.events.len();
        let next = write.expected + count as u64;
        count > 0 && count == write.causes.len() && write.next.version == next && write.next.state.is_some()
    };
    let renewed = |consumed: &Consumed| match consumed {
        Consumed::Released { seq, end: End::Parked } => {
            writes.parked.iter().any(|parked| parked.again == Some(*seq))
        }
        Consumed::Owed { .. } | Consumed::Due { .. } | Consumed::Released { .. } => true,
        Consumed::Redriven { .. } | Consumed::Answered { .. } => true,
    };
    let placed = (read.position..).zip(&writes.packs).all(|(position, pack)| {
        pack.id.sender == *read.right.lane() && pack.id.position == position && !pack.keys.is_empty()
    });
    let broken = [
        (written.len() == writes.streams.len(), "a stream is written twice in one turn"),
        (writes.streams.iter().all(counted), "a write's version, events, causes and state do not agree"),
        (
            writes.alarms.iter().all(|stream| written.contains(stream)),
            "an alarm of a stream that is not written",
        ),
        (placed, "packs must be of this lane, with messages, and positions counted up from the one found"),
        (writes.consumed.iter().all(renewed), "a release is parked again without its message"),
    ];
    match broken.into_iter().find(|(holds, _)| !holds) {
        Some((_, why)) => Err(StoreError::Misused(why)),
        None => Ok(()),
    }
}

fn is_there(state: &State, lane: &GroupLane, consumed: &Consumed) -> bool {
    match consumed {
        Consumed::Owed { pack, indexes, .. } => {
            indexes.iter().all(|index| state.owing.is_left(lane, pack, *index))
        }
        Consumed::Due { stream, set_at, firing } => state.alarms.stands(lane, stream, *set_at, *firing),
        Consumed::Released { seq, .. } => state.parking.is_parked(lane, *seq),
        Consumed::Redriven { number, .. } => state.parking.is_redriven(lane, *number),
        Consumed::Answered { effect, .. } => state.effects.stands(lane, effect),
    }
}

/// What the broker never takes is nobody's to redrive.
fn is_judgeable(state: &State, lane: &GroupLane, number: u64) -> bool {
    &*lane.group != PUBLIC && state.parking.is_judgeable(lane, number)
}

/// Nothing is consumed twice in one commit, and no wish answered that has gone.
fn once(writes: &Writes) -> bool {
    let (mut owed, mut seqs, mut numbers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut gone = BTreeSet::new();
    writes.consumed.iter().all(|consumed| match consumed {
        Consumed::Owed { pack, indexes, .. } => indexes.iter().all(|index| owed.insert((pack, *index))),
        Consumed::Released { seq, .. } => seqs.insert(*seq),
        Consumed::Redriven { number, .. } => numbers.insert(*number),
        Consumed::Answered { effect, then: Then::Gone } => gone.insert(effect),
        Consumed::Answered { effect, then: Then::Kept | Then::LetGo { .. } } => !gone.contains(effect),
        Consumed::Due { .. } => true,
    }) && writes.judged.iter().all(|(number, _)| numbers.insert(*number))
}

fn apply(state: &mut State, read: &Read, writes: Writes, now: Timestamp) {
    let lane = read.right.lane().clone();
    let last = read.position + (writes.packs.len() as u64).max(1) - 1;
    state.positions.insert(lane.clone(), last);
    state.commits += 1;
    for consumed in &writes.consumed {
        match consumed {
            Consumed::Owed { pack, indexes, end } => state.owing.end(&lane, pack, indexes, *end),
            Consumed::Due { stream, .. } if !writes.alarms.contains(stream) => state.alarms.remove(stream),
            Consumed::Answered { effect, then: Then::Gone } => state.effects.remove(effect),
            Consumed::Answered { effect, then: Then::LetGo { again, heard } } => {
                state.effects.let_go(effect, now.after(*again), (Some(*heard), 0));
            }
            Consumed::Due { .. } | Consumed::Released { .. } => {}
            Consumed::Redriven { .. } | Consumed::Answered { then: Then::Kept, .. } => {}
        }
    }
    let sources = state.parking.consume(&lane, &writes.consumed, &mut state.owing);
    let alarms: BTreeSet<&StreamId> = writes.alarms.iter().collect();
    for write in writes.streams {
        if alarms.contains(&write.stream) {
            let newest = write.next.deadline.as_ref();
            state.alarms.follow(&write.stream, newest, state.topology.lanes, now);
        }
        state.streams.write(&lane, read.position, write, read.now);
    }
    for pack in writes.packs {
        let mut hearers: Vec<Name> = state.topology.hearers(&pack.topic).cloned().collect();
        if state.topology.public.contains(&pack.topic) {
            hearers.push(Name::from(PUBLIC));
        }
        state.owing.insert(pack, hearers, now);
    }
    writes.withdrawn.iter().for_each(|key| state.effects.remove(key));
    writes.effects.into_iter().for_each(|effect| state.effects.insert(&lane, effect, now));
    writes.parked.into_iter().for_each(|parked| state.parking.park(&lane, parked, &sources, now));
    writes.buried.into_iter().for_each(|buried| state.parking.bury(&lane, buried, &sources, now));
    for (number, verdict) in writes.judged {
        state.parking.judge(&lane, number, verdict, &mut state.owing);
    }
}
