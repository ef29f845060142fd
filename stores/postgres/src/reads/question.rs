//! What a turn asks, and what it is told.

use crate::{
    alarm::Alarm,
    letters::Aside,
    owed::{AskedRow, OwedRow},
    rows::Columns,
};
use oms_core::{
    gateway::EffectKey,
    id::StreamId,
    message::{Key, Limit},
    store::{StoreError, Streams},
};
use std::collections::{BTreeMap, BTreeSet};

/// What one turn asks.
#[derive(Default)]
pub(crate) struct Question {
    pub(crate) lane: Option<OfLane>,
    pub(crate) streams: BTreeSet<StreamId>,
}

/// What a turn asks of its lane when it begins.
#[derive(Default)]
pub(crate) struct OfLane {
    pub(crate) id: i32,
    /// The packs that were delivered, with the digest of what came, where that is to be compared.
    pub(crate) packs: Vec<(i64, Option<u128>)>,
    /// The packs that are overdue.
    pub(crate) late: Vec<i64>,
    pub(crate) limit: Limit,
    pub(crate) released: Vec<i64>,
    pub(crate) redriven: Vec<i64>,
    pub(crate) alarms: Vec<StreamId>,
    pub(crate) answered: Vec<EffectKey>,
}

/// What it is told.
#[derive(Default)]
pub(crate) struct Reply {
    pub(crate) lane: Told,
    /// All that were asked for; one that was never written is empty.
    pub(crate) streams: Streams,
}

/// What it is told of its lane.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) row: Option<LaneRow>,
    pub(crate) asked: Vec<AskedRow>,
    pub(crate) fill: Vec<OwedRow>,
    pub(crate) released: BTreeMap<i64, Aside>,
    pub(crate) redriven: BTreeMap<i64, Aside>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) standing: BTreeSet<EffectKey>,
}

/// Lanes (`$1`) as turns find them: version and next position, the revision of the hearers, the epoch of the lease, the time, and the
/// keys that have something parked.
pub(crate) const LANES: &str =
    "SELECT lane.id, lane.version, lane.next, meta.revision, lease.epoch, moment($2),
        ARRAY (SELECT DISTINCT key FROM parked WHERE hearer = lane.id)
    FROM lane CROSS JOIN meta JOIN lease ON lease.lane = lane.id WHERE lane.id = ANY ($1::integer[])";

/// A row of [`LANES`].
#[derive(Clone, Debug)]
pub(crate) struct LaneRow {
    pub(crate) version: i64,
    pub(crate) next: u64,
    pub(crate) revision: i64,
    pub(crate) epoch: i64,
    pub(crate) now: i64,
    pub(crate) parked: BTreeSet<Key>,
}

impl LaneRow {
    /// Reads a row behind its lane.
    pub(crate) fn read(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (version, next, revision) = (row.get()?, row.number()?, row.get()?);
        let (epoch, now, keys): (i64, i64, Vec<&str>) = (row.get()?, row.get()?, row.get()?);
        let parked = keys.into_iter().map(|key| Key::new(key.into())).collect();
        Ok(Self { version, next, revision, epoch, now, parked })
    }
}
