//! Bugs in what a turn writes.

use super::layer::Layer;
use crate::world::World;
use futures::FutureExt as _;
use oms_core::store::{Consumed, End, Store as _, StoreError, Waiting, Writes};
use std::{collections::BTreeSet, sync::Arc};

/// Everything that is parked now.
pub(super) fn parked(world: &World) -> Vec<Waiting> {
    let waiting = world.store.waiting(None, usize::MAX).now_or_never().and_then(Result::ok);
    waiting.unwrap_or_default().into_iter().filter(|one| matches!(one, Waiting::Parked { .. })).collect()
}

/// Writes deadlines without what they wait for.
pub(super) struct DeadlineRunsWhileOwed(pub(super) Arc<World>);

impl Layer for DeadlineRunsWhileOwed {
    fn writes(&self, writes: &mut Writes) {
        for write in &mut writes.streams {
            let Some(deadline) = &mut write.next.deadline else { continue };
            if let Some(waits) = deadline.waits_for.take() {
                // The book must still know what was meant.
                self.0.book().waits(&write.stream, deadline.set_at, waits);
            }
        }
    }
}

/// Lets all that waits behind a released message go with it.
pub(super) struct ReleaseLosesFollowers(pub(super) Arc<World>);

impl Layer for ReleaseLosesFollowers {
    fn writes(&self, writes: &mut Writes) {
        let gone = |one: &Consumed| match one {
            Consumed::Released { seq, end: End::Handled } => Some(*seq),
            _ => None,
        };
        let gone: BTreeSet<u64> = writes.consumed.iter().filter_map(gone).collect();
        if gone.is_empty() {
            return;
        }
        let parked = parked(&self.0);
        let of = |one: &Waiting| match one {
            Waiting::Parked { seq, lane, message, .. } => {
                Some((*seq, lane.clone(), message.envelope.key.clone()))
            }
            _ => None,
        };
        let rows: Vec<_> = parked.iter().filter_map(of).collect();
        let heads: Vec<_> = rows.iter().filter(|(seq, ..)| gone.contains(seq)).cloned().collect();
        for (seq, lane, key) in rows.into_iter().filter(|(seq, ..)| !gone.contains(seq)) {
            if heads.iter().any(|(_, of, head)| *of == lane && *head == key) {
                writes.consumed.push(Consumed::Released { seq, end: End::Handled });
            }
        }
    }
}

/// Takes a conflict for rows that never fit.
pub(super) struct ConflictIsPoison;

impl Layer for ConflictIsPoison {
    fn error(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Conflict => StoreError::refused("it failed"),
            StoreError::LostLease(_) | StoreError::Unavailable(_) | StoreError::Refused(_) => error,
            StoreError::Unfit(_) | StoreError::Misused(_) => error,
        }
    }
}
