//! What is owed: packs, one row for each hearing group, and the places that are left in it (rule 1).

use crate::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Limit, Pack, PackId},
    store::{End, Owed, Waiting},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

struct Body {
    pack: Pack,
    rows: usize,
    /// The place among all packs: agrees with the positions of each sender, and is fair between senders.
    order: u64,
}

struct Row {
    topic: Name,
    since: Timestamp,
    order: u64,
    left: BTreeSet<u16>,
    parked: BTreeSet<u16>,
    buried: BTreeSet<u16>,
}

impl Row {
    fn waits(&self, index: u16) -> bool {
        self.left.contains(&index) || self.parked.contains(&index)
    }

    fn is_done(&self) -> bool {
        self.left.is_empty() && self.parked.is_empty() && self.buried.is_empty()
    }
}

/// Packs in flight, and who is owed them.
#[derive(Default)]
pub(super) struct Owing {
    packs: BTreeMap<PackId, Body>,
    owed: BTreeMap<GroupLane, BTreeMap<PackId, Row>>,
    order: u64,
    pub(super) rows: u64,
}

type Bounds<'a> = BTreeMap<(&'a GroupLane, &'a Name), u64>;

impl Owing {
    /// Stores a pack for its hearers; one that nobody hears is not stored.
    pub(super) fn insert(&mut self, pack: Pack, hearers: Vec<Name>, now: Timestamp) {
        if hearers.is_empty() {
            return;
        }
        self.order += 1;
        self.rows += 1 + hearers.len() as u64;
        let rows = hearers.len();
        for group in hearers {
            let row = Row {
                topic: Name::clone(&pack.topic),
                since: now,
                order: self.order,
                left: (0..u16::try_from(pack.keys.len()).unwrap_or(u16::MAX)).collect(),
                parked: BTreeSet::new(),
                buried: BTreeSet::new(),
            };
            let lane = GroupLane { group, lane: pack.lane };
            self.owed.entry(lane).or_default().insert(pack.id.clone(), row);
        }
        let order = self.order;
        self.packs.insert(pack.id.clone(), Body { pack, rows, order });
    }

    /// Whether a place is neither handled, parked nor buried.
    pub(super) fn is_left(&self, lane: &GroupLane, pack: &PackId, index: u16) -> bool {
        self.row(lane, pack).is_some_and(|row| row.left.contains(&index))
    }

    /// Whether a group still has to handle a place, parked included, buried not (rule 3).
    pub(super) fn waits(&self, group: &Name, pack: &PackId, index: u16) -> bool {
        let Some(body) = self.packs.get(pack) else { return false };
        let lane = GroupLane { group: Name::clone(group), lane: body.pack.lane };
        self.row(&lane, pack).is_some_and(|row| row.waits(index))
    }

    /// Whether anything of a key is still to be handled in a lane, parked included, buried not (rule 3).
    pub(super) fn key_waits(&self, lane: &GroupLane, hash: u32) -> bool {
        let rows = self.owed.get(lane).into_iter().flatten();
        rows.filter_map(|(pack, row)| Some((self.packs.get(pack)?, row))).any(|(body, row)| {
            (0..).zip(&body.pack.keys).any(|(index, key)| *key == hash && row.waits(index))
        })
    }

    /// Ends places that were left, parked or buried: handled ones leave the row, others are marked.
    pub(super) fn end(&mut self, lane: &GroupLane, pack: &PackId, indexes: &[u16], end: End) {
        let Some(rows) = self.owed.get_mut(lane) else { return };
        let Some(row) = rows.get_mut(pack) else { return };
        for index in indexes {
            row.left.remove(index);
            row.parked.remove(index);
            row.buried.remove(index);
            match end {
                End::Handled => false,
                End::Parked => row.parked.insert(*index),
                End::Buried => row.buried.insert(*index),
            };
        }
        self.rows += 1;
        if row.is_done() {
            rows.remove(pack);
            if rows.is_empty() {
                self.owed.remove(lane);
            }
            self.forget(pack);
        }
    }

    /// What a turn finds: the owed packs, oldest first, and which of the asked ones are not owed (rule 10).
    pub(super) fn find(
        &self,
        lane: &GroupLane,
        asked: &[PackId],
        longer: Option<Duration>,
        limit: Limit,
        now: Timestamp,
    ) -> (Vec<Owed>, Vec<PackId>) {
        let open = |pack: &&PackId| self.row(lane, pack).is_some_and(|row| !row.left.is_empty());
        let duplicates = asked.iter().filter(|pack| !open(pack)).cloned().collect();
        let bounds = self.bounds(lane, asked.iter().filter(open));
        let mut all: BTreeMap<u64, (&PackId, &Row, bool)> = BTreeMap::new();
        if let Some(longer) = longer {
            let rows = self.owed.get(lane).into_iter().flatten();
            let late = rows.filter(|(_, row)| !row.left.is_empty() && now.since(row.since) > longer);
            let late = self.bounds(lane, late.map(|(pack, _)| pack));
            all.extend(self.within(lane, &late).map(|(pack, row)| (row.order, (pack, row, true))));
        }
        all.extend(self.within(lane, &bounds).map(|(pack, row)| (row.order, (pack, row, false))));
        let delivered: BTreeSet<&PackId> = asked.iter().collect();
        (self.cut(all.into_values(), &delivered, limit), duplicates)
    }

    /// Those of `lanes` with places left for longer than the time beside them (rule 2).
    pub(super) fn overdue(&self, lane: &GroupLane, longer: Duration, now: Timestamp) -> bool {
        let mut rows = self.owed.get(lane).into_iter().flat_map(BTreeMap::values);
        rows.any(|row| !row.left.is_empty() && now.since(row.since) > longer)
    }

    /// Packs after each sender's cursor with places left for someone, oldest first (rule 11).
    pub(super) fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Vec<Pack> {
        let mut all: BTreeMap<u64, &Pack> = BTreeMap::new();
        for (sender, position) in after {
            let from = PackId { sender: sender.clone(), position: position.saturating_add(1) };
            let to = PackId { sender: sender.clone(), position: u64::MAX };
            let packs = self.packs.range(from..=to).map(|(_, body)| body);
            let packs = packs.filter(|body| self.anyone_left(&body.pack));
            // Each holds a message, so that more than this of one sender never fits.
            all.extend(packs.take(limit.messages.max(1)).map(|body| (body.order, &body.pack)));
        }
        let (mut messages, mut bytes) = (0, 0);
        let fits = |pack: &&Pack| {
            let first = messages == 0;
            messages += pack.keys.len().max(1);
            bytes += pack.bytes.len();
            first || (messages <= limit.messages && bytes <= limit.bytes)
        };
        all.into_values().take_while(fits).cloned().collect()
    }

    /// The bytes, topic and lane of a pack.
    pub(super) fn pack(&self, pack: &PackId) -> Option<&Pack> {
        self.packs.get(pack).map(|body| &body.pack)
    }

    /// Whether a sender has packs that are still to be told to `hearer`.
    pub(super) fn is_unsent_to(&self, sender: &str, hearer: &str) -> bool {
        let rows = self.owed.iter().filter(|(lane, _)| &*lane.group == hearer).flat_map(|(_, rows)| rows);
        rows.into_iter().any(|(pack, row)| &*pack.sender.group == sender && !row.left.is_empty())
    }

    /// Removes all rows of a group, and gives how many.
    pub(super) fn remove(&mut self, group: &str) -> u64 {
        let lanes: Vec<GroupLane> = self.owed.keys().filter(|lane| &*lane.group == group).cloned().collect();
        let mut removed = 0;
        for rows in lanes.iter().filter_map(|lane| self.owed.remove(lane)).collect::<Vec<_>>() {
            for pack in rows.keys() {
                removed += 1;
                self.forget(pack);
            }
        }
        self.rows += removed;
        removed
    }

    /// How many owed rows there are.
    pub(super) fn count(&self) -> u64 {
        self.owed.values().map(|rows| rows.len() as u64).sum()
    }

    /// What is owed, of one key or all.
    pub(super) fn waiting(&self, hash: Option<u32>) -> impl Iterator<Item = Waiting> {
        let rows = self.owed.iter().flat_map(|(lane, rows)| rows.iter().map(move |row| (lane, row)));
        rows.filter(move |(_, (pack, row))| {
            hash.is_none_or(|hash| {
                let keys = self.packs.get(*pack).map(|body| &body.pack.keys);
                let mut own = (0..).zip(keys.into_iter().flatten()).filter(|(_, key)| **key == hash);
                own.any(|(index, _)| row.waits(index) || row.buried.contains(&index))
            })
        })
        .map(|(lane, (pack, row))| Waiting::Owed {
            lane: lane.clone(),
            pack: pack.clone(),
            topic: Name::clone(&row.topic),
            since: row.since,
            left: row.left.len(),
            marked: row.parked.len() + row.buried.len(),
        })
    }

    fn row(&self, lane: &GroupLane, pack: &PackId) -> Option<&Row> {
        self.owed.get(lane)?.get(pack)
    }

    fn anyone_left(&self, pack: &Pack) -> bool {
        let rows = self.owed.iter().filter(|(lane, _)| lane.lane == pack.lane);
        rows.filter_map(|(_, rows)| rows.get(&pack.id)).any(|row| !row.left.is_empty())
    }

    /// The last position that is wanted of each sender and topic.
    fn bounds<'a>(&'a self, lane: &GroupLane, packs: impl Iterator<Item = &'a PackId>) -> Bounds<'a> {
        let mut bounds = Bounds::new();
        for pack in packs {
            let Some(row) = self.row(lane, pack) else { continue };
            let bound = bounds.entry((&pack.sender, &row.topic)).or_default();
            *bound = pack.position.max(*bound);
        }
        bounds
    }

    fn within<'a>(
        &'a self,
        lane: &GroupLane,
        bounds: &Bounds<'a>,
    ) -> impl Iterator<Item = (&'a PackId, &'a Row)> {
        let rows = self.owed.get(lane);
        let mut all = Vec::new();
        for ((sender, topic), last) in bounds {
            let from = PackId { sender: (*sender).clone(), position: 0 };
            let to = PackId { sender: (*sender).clone(), position: *last };
            let range = rows.into_iter().flat_map(|rows| rows.range(from.clone()..=to.clone()));
            all.extend(range.filter(|(_, row)| row.topic == **topic && !row.left.is_empty()));
        }
        all.into_iter()
    }

    fn cut<'a>(
        &self,
        rows: impl Iterator<Item = (&'a PackId, &'a Row, bool)>,
        delivered: &BTreeSet<&PackId>,
        limit: Limit,
    ) -> Vec<Owed> {
        let (mut room, mut bytes) = (limit.messages.max(1), 0);
        let mut owed: Vec<Owed> = Vec::new();
        for (pack, row, overdue) in rows {
            let Some(body) = self.packs.get(pack).map(|body| &body.pack) else { continue };
            bytes += body.bytes.len();
            if room == 0 || (!owed.is_empty() && bytes > limit.bytes) {
                break;
            }
            let left: Vec<u16> = row.left.iter().copied().take(room).collect();
            room -= left.len();
            owed.push(Owed {
                pack: pack.clone(),
                topic: Name::clone(&row.topic),
                cut: left.len() < row.left.len(),
                left,
                count: u16::try_from(body.keys.len()).unwrap_or(u16::MAX),
                bytes: (!delivered.contains(pack)).then(|| Bytes::clone(&body.bytes)),
                overdue,
            });
        }
        owed
    }

    /// A body goes with its last row.
    fn forget(&mut self, pack: &PackId) {
        let Some(body) = self.packs.get_mut(pack) else { return };
        body.rows -= 1;
        if body.rows == 0 {
            self.packs.remove(pack);
            self.rows += 1;
        }
    }
}
