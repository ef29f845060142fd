//! The invariants about streams: versions without gaps, one effect for each cause, and states equal to their fold.

use super::held::Held;
use crate::{
    service::{Entry, Handler},
    store::{Recorded, Stream, Waiting},
};
use std::collections::BTreeMap;

/// 17: the versions are 1 to n without a gap, and n is the stored one.
pub(super) fn gap_free(history: &[Recorded], stored: &Stream) -> Held {
    let gap = (1..).zip(history).find(|(wanted, recorded)| *wanted != recorded.version);
    if let Some((wanted, recorded)) = gap {
        return Err(format!("version {wanted} is missing before version {}", recorded.version));
    }
    let last = history.len() as u64;
    if last == stored.version {
        return Ok(());
    }
    Err(format!("it has {last} events, and its stored version is {}", stored.version))
}

/// 19, as far as events show it: what one message caused was committed by one turn, so its owed row went with it.
pub(super) fn one_turn_for_each_cause(history: &[Recorded]) -> Held {
    let mut turns = BTreeMap::new();
    for recorded in history {
        let turn = (&recorded.lane, recorded.position);
        let first = *turns.entry(recorded.cause.0).or_insert(turn);
        if first != turn {
            return Err(format!("the message {} had an effect in two turns", recorded.cause));
        }
    }
    Ok(())
}

/// 18, at rest: whatever is still owed was put aside or given up.
pub(super) fn nothing_owed(waiting: &Waiting) -> Held {
    match waiting {
        Waiting::Owed { lane, pack, left, .. } if *left > 0 => {
            Err(format!("{left} messages of the pack {pack} are owed to {lane}"))
        }
        Waiting::Owed { .. } | Waiting::Parked { .. } | Waiting::Effect { .. } | Waiting::Deadline { .. } => {
            Ok(())
        }
    }
}

/// 20 (and 3, for counters): the stored state is the fold of the events. A state of an older shape is not compared: it is
/// rewritten when its stream is written next.
pub(super) fn stored_is_the_fold(handler: &dyn Handler, history: &[Recorded], stored: &Stream) -> Held {
    let mut entry = Entry::new(Stream::default());
    for recorded in history {
        let next = handler.evolve(&recorded.stream, &entry, &recorded.event);
        let next = next.map_err(|fault| format!("version {}: {fault}", recorded.version))?;
        entry.advance(recorded.version, next);
    }
    let Some(folded) = entry.typed() else { return Ok(()) };
    if folded.schema() != stored.schema {
        return Ok(());
    }
    let bytes = folded.encode().map_err(|error| format!("the folded state cannot be encoded: {error}"))?;
    if Some(&bytes) != stored.state.as_ref() {
        return Err("the stored state is not the fold of the events".to_owned());
    }
    if folded.fixed() != stored.fixed {
        return Err("what is stored as fixed is not what the events gave".to_owned());
    }
    Ok(())
}
