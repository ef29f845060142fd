//! Leases: who serves which lane, by the store's clock (rule 8).

use crate::{
    clock::Timestamp,
    id::Table,
    message::GroupLane,
    store::{Lease, Tenures},
};
use std::time::Duration;

#[derive(Default)]
struct Row {
    owner: Option<u128>,
    epoch: u64,
    until: Timestamp,
}

/// The leases of all lanes.
#[derive(Default)]
pub(super) struct Leases(Table<GroupLane, Row>);

impl Tenures for Leases {
    fn is_held_by(&self, owner: u128, lane: &GroupLane) -> bool {
        self.0.get(lane).is_some_and(|row| row.owner == Some(owner))
    }

    fn claim(&mut self, owner: u128, lane: &GroupLane, time: Duration, now: Timestamp) -> Option<Lease> {
        let row = self.0.entry(lane.clone()).or_default();
        let mine = row.owner == Some(owner);
        if time.is_zero() {
            if mine {
                // What is still open under the old epoch must not commit any more.
                (row.owner, row.epoch) = (None, row.epoch + 1);
            }
            return None;
        }
        if !mine {
            if row.owner.is_some() && row.until > now {
                return None;
            }
            (row.owner, row.epoch) = (Some(owner), row.epoch + 1);
        }
        row.until = now.after(time);
        Some(Lease { lane: lane.clone(), epoch: row.epoch, left: time })
    }
}

impl Leases {
    /// Whether the lane has not changed hands since.
    pub(super) fn holds(&self, lease: &Lease) -> bool {
        self.0.get(&lease.lane).is_some_and(|row| row.epoch == lease.epoch)
    }

    /// Takes all lanes of a group from their owners.
    pub(super) fn revoke(&mut self, group: &str) {
        for (_, row) in self.0.iter_mut().filter(|(lane, _)| &*lane.group == group) {
            (row.owner, row.epoch) = (None, row.epoch + 1);
        }
    }
}
