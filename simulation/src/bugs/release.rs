//! A release that is handled as it was when its hint was given.

use super::{
    layer::{Due, Layer},
    written::parked,
};
use crate::{lock::locked, world::World};
use async_trait::async_trait;
use oms_core::{
    message::{GroupLane, Message},
    store::{Ask, Consumed, Found, Local, LocalMessage, Store, StoreError, Waiting, Writes},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// Reads parked messages with their hints, and never again.
pub(super) struct ReleaseNotReadAgain {
    world: Arc<World>,
    known: Mutex<BTreeMap<u64, (Message, u32)>>,
}

impl ReleaseNotReadAgain {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, known: Mutex::default() }
    }
}

#[async_trait]
impl Layer for ReleaseNotReadAgain {
    fn found(&self, ask: &Ask, found: &mut Found) {
        let read = |local: &LocalMessage| match local {
            LocalMessage::Released { seq, .. } => Some(*seq),
            LocalMessage::Due { .. } | LocalMessage::Redriven { .. } => None,
        };
        let read: BTreeSet<u64> = found.local.iter().filter_map(read).collect();
        let known = locked(&self.known);
        for local in &ask.local {
            if let Local::Released(seq) = local
                && !read.contains(seq)
                && let Some((message, attempts)) = known.get(seq).cloned()
            {
                found.local.push(LocalMessage::Released { seq: *seq, message, attempts });
            }
        }
    }

    fn writes(&self, writes: &mut Writes) {
        let there: BTreeSet<u64> = parked(&self.world).iter().filter_map(seq_of).collect();
        writes.consumed.retain(|one| match one {
            Consumed::Released { seq, .. } => there.contains(seq),
            _ => true,
        });
    }

    async fn due(&self, inside: &dyn Store, lanes: &[GroupLane], limit: usize) -> Result<Due, StoreError> {
        let due = inside.due(lanes, limit).await?;
        for one in parked(&self.world) {
            if let Waiting::Parked { seq, message, attempts, .. } = one {
                locked(&self.known).insert(seq, (message, attempts));
            }
        }
        Ok(due)
    }
}

fn seq_of(one: &Waiting) -> Option<u64> {
    match one {
        Waiting::Parked { seq, .. } => Some(*seq),
        Waiting::Owed { .. } | Waiting::Effect { .. } | Waiting::Deadline { .. } => None,
    }
}
