//! Who holds which lane until when, as the store last said.

use oms_core::{clock::Timestamp, message::GroupLane, store::Lease};
use std::{collections::BTreeMap, time::Duration};

/// The leases that were given, and how often a lane changed hands.
#[derive(Default)]
pub(super) struct Leases {
    held: BTreeMap<GroupLane, Holding>,
    pub(super) changes: u64,
}

struct Holding {
    owner: u128,
    epoch: u64,
    /// By the true time, which is the store's.
    until: Timestamp,
}

/// What one answer of the store changed.
#[derive(Default)]
pub(super) struct Taken {
    /// Lanes that have a new owner or epoch.
    pub(super) changed: Vec<GroupLane>,
    /// Those whose earlier lease still ran, and how long.
    pub(super) early: Vec<(GroupLane, Duration)>,
}

impl Leases {
    /// Notes which of the wanted lanes an owner was leased; the others of its own it has given back or lost.
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        owner: u128,
        wanted: &[GroupLane],
        leases: &[Lease],
    ) -> Taken {
        for lane in wanted.iter().filter(|lane| !leases.iter().any(|lease| lease.lane == **lane)) {
            if let Some(held) = self.held.get_mut(lane).filter(|held| held.owner == owner) {
                held.until = now;
            }
        }
        let mut taken = Taken::default();
        for lease in leases {
            let holding = Holding { owner, epoch: lease.epoch, until: now.after(lease.left) };
            let before = self.held.insert(lease.lane.clone(), holding);
            if before.as_ref().is_some_and(|before| before.owner == owner && before.epoch == lease.epoch) {
                continue;
            }
            self.changes += 1;
            taken.changed.push(lease.lane.clone());
            let early = before.filter(|before| before.owner != owner && before.until > now);
            taken.early.extend(early.map(|before| (lease.lane.clone(), before.until.since(now))));
        }
        taken
    }
}
