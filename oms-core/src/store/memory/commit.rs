//! A commit: everything is checked first, then everything is written.

#[cfg(oms_mutants)]
use super::mutant::{Guard, lacks};
use super::state::State;
use crate::{
    clock::Timestamp,
    id::{Name, StreamId},
    message::GroupLane,
    store::{Consumed, PUBLIC, Right, StoreError, Then, Write, Writes},
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
    writes.sound(read.right.lane(), read.position)?;
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
        && writes.is_once();
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
