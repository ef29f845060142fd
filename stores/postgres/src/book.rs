//! What every process reads once and keeps: the numbers of lanes, and who hears what.

use crate::rows::{position_of, sender_of};
use oms_core::{
    broker::Topology,
    id::Name,
    message::{GroupLane, PackId},
    store::PUBLIC,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Each group with the topics it hears.
pub(crate) type Hears = Arc<BTreeMap<Name, BTreeSet<Name>>>;

/// Lanes by number and by name, which never change once they are there; and who hears what, as of a revision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) ids: BTreeMap<GroupLane, i32>,
    names: BTreeMap<i32, GroupLane>,
    /// How many lanes every group has.
    pub(crate) lanes: u16,
    pub(crate) hears: Hears,
    pub(crate) revision: i64,
}

impl Book {
    pub(crate) fn know(&mut self, id: i32, lane: GroupLane) {
        self.ids.insert(lane.clone(), id);
        self.names.insert(id, lane);
    }

    /// Whether the number of a lane is known.
    pub(crate) fn has(&self, id: i32) -> bool {
        self.names.contains_key(&id)
    }

    /// The name of a lane whose number is known.
    pub(crate) fn name(&self, id: i32) -> GroupLane {
        self.names.get(&id).cloned().unwrap_or_else(|| GroupLane::new("", 0))
    }

    pub(crate) fn id(&self, group: &str, lane: u16) -> Option<i32> {
        self.ids.get(&GroupLane::new(group, lane)).copied()
    }

    /// The numbers of a group's lanes.
    pub(crate) fn of_group(&self, group: &str) -> Vec<i32> {
        self.ids.iter().filter(|(lane, _)| &*lane.group == group).map(|(_, id)| *id).collect()
    }

    /// The name of a pack's row.
    pub(crate) fn pack(&self, row: i64) -> PackId {
        PackId { sender: self.name(sender_of(row)), position: position_of(row) }
    }

    /// The whole topology, as it is registered.
    pub(crate) fn topology(&self) -> Topology {
        let mut hears = (*self.hears).clone();
        let public = hears.remove(PUBLIC).unwrap_or_default();
        Topology { hears, public, lanes: self.lanes }
    }
}
