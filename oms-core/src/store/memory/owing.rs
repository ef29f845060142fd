//! What is owed: packs, one row for each hearing group, and the places that are left in it (rule 1).

use super::{lanes::Lanes, row::Row};
use crate::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Limit, Pack, PackId},
    store::{Ask, End, Owed, Waiting},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

struct Body {
    pack: Pack,
    /// The numbers of the lanes that are still owed it.
    hearers: Vec<usize>,
    /// The place among all packs: agrees with the positions of each sender, and is fair between senders.
    order: u64,
}

/// Where a pack lies: its sender's number, and its position.
type Place = (usize, u64);

/// Packs in flight, and who is owed them. Both are kept by the number of a lane: of who sent, and of who hears.
#[derive(Default)]
pub(super) struct Owing {
    lanes: Lanes,
    packs: Vec<BTreeMap<u64, Body>>,
    owed: Vec<BTreeMap<Place, Row>>,
    order: u64,
    pub(super) rows: u64,
}

/// The last position that is wanted of each sender and topic.
type Bounds<'a> = BTreeMap<(usize, &'a Name), u64>;

/// An owed row that a turn may take: where its pack lies, and whether it is overdue.
type Candidate<'a> = (Place, &'a Row, bool);

impl Owing {
    /// Stores a pack for its hearers; one that nobody hears is not stored.
    pub(super) fn insert(&mut self, pack: Pack, hearers: Vec<Name>, now: Timestamp) {
        if hearers.is_empty() {
            return;
        }
        self.order += 1;
        self.rows += 1 + hearers.len() as u64;
        let place = (self.number(&pack.id.sender), pack.id.position);
        let hearers = hearers.into_iter().map(|group| self.number(&GroupLane { group, lane: pack.lane }));
        let hearers: Vec<usize> = hearers.collect();
        for hearer in &hearers {
            let row = Row::new(Name::clone(&pack.topic), now, self.order, pack.keys.len());
            self.owed[*hearer].insert(place, row);
        }
        self.packs[place.0].insert(place.1, Body { pack, hearers, order: self.order });
    }

    fn number(&mut self, lane: &GroupLane) -> usize {
        let number = self.lanes.number(lane);
        let size = self.packs.len().max(number + 1);
        self.packs.resize_with(size, BTreeMap::new);
        self.owed.resize_with(size, BTreeMap::new);
        number
    }

    /// Whether a place is neither handled, parked nor buried.
    pub(super) fn is_left(&self, lane: &GroupLane, pack: &PackId, index: u16) -> bool {
        self.row(lane, pack).is_some_and(|row| row.is_left(index))
    }

    /// Whether a group still has to handle a place, parked included, buried not (rule 3).
    pub(super) fn waits(&self, group: &Name, pack: &PackId, index: u16) -> bool {
        let Some(body) = self.place(pack).and_then(|place| self.body(place)) else { return false };
        let lane = GroupLane { group: Name::clone(group), lane: body.pack.lane };
        self.row(&lane, pack).is_some_and(|row| row.waits(index))
    }

    /// Whether anything of a key is still to be handled in a lane, parked included, buried not (rule 3).
    pub(super) fn key_waits(&self, lane: &GroupLane, hash: u32) -> bool {
        let rows = self.owed_to(lane).into_iter().flatten();
        rows.filter_map(|(place, row)| Some((self.body(*place)?, row))).any(|(body, row)| {
            (0..).zip(&body.pack.keys).any(|(index, key)| *key == hash && row.waits(index))
        })
    }

    /// Ends places that were left, parked or buried: handled ones leave the row, others are marked.
    pub(super) fn end(&mut self, lane: &GroupLane, pack: &PackId, indexes: &[u16], end: End) {
        let (Some(hearer), Some(place)) = (self.lanes.find(lane), self.place(pack)) else { return };
        let Some(row) = self.owed[hearer].get_mut(&place) else { return };
        indexes.iter().for_each(|index| row.end(*index, end));
        self.rows += 1;
        if row.is_done() {
            self.owed[hearer].remove(&place);
            self.forget(place, hearer);
        }
    }

    /// What a turn finds: the owed packs, oldest first, and which of the asked ones are not owed (rule 10).
    pub(super) fn find(&self, lane: &GroupLane, ask: &Ask, now: Timestamp) -> (Vec<Owed>, Vec<PackId>) {
        let Some(rows) = self.owed_to(lane) else { return (Vec::new(), ask.packs.clone()) };
        let (longer, limit) = (ask.owed_longer, ask.limit);
        let (mut delivered, mut duplicates) = (BTreeSet::new(), Vec::new());
        for (number, pack) in ask.packs.iter().enumerate() {
            let owed = |place: &Place| rows.get(place).is_some_and(|row| row.left() > 0);
            let same = |place: &Place| match ask.bodies.get(number) {
                Some(bytes) => self.body(*place).is_some_and(|body| body.pack.bytes == *bytes),
                None => true,
            };
            match self.place(pack).filter(|place| owed(place) && same(place)) {
                Some(place) => _ = delivered.insert(place),
                None => duplicates.push(pack.clone()),
            }
        }
        let mut all: BTreeMap<u64, Candidate<'_>> = BTreeMap::new();
        if let Some(longer) = longer {
            let late = rows.iter().filter(|(_, row)| row.left() > 0 && now.since(row.since) > longer);
            let late = bounds(rows, late.map(|(place, _)| *place));
            all.extend(within(rows, &late).map(|(place, row)| (row.order, (place, row, true))));
        }
        let wanted = bounds(rows, delivered.iter().copied());
        all.extend(within(rows, &wanted).map(|(place, row)| (row.order, (place, row, false))));
        (self.cut(all.into_values(), &delivered, limit), duplicates)
    }

    /// Whether a lane has places left for longer than that (rule 2).
    pub(super) fn overdue(&self, lane: &GroupLane, longer: Duration, now: Timestamp) -> bool {
        let mut rows = self.owed_to(lane).into_iter().flat_map(BTreeMap::values);
        rows.any(|row| row.left() > 0 && now.since(row.since) > longer)
    }

    /// Packs after each sender's cursor with places left for someone, oldest first (rule 11).
    pub(super) fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Vec<Pack> {
        let mut all: BTreeMap<u64, &Pack> = BTreeMap::new();
        for (sender, position) in after {
            let Some(sender) = self.lanes.find(sender) else { continue };
            let packs = self.packs[sender].range(position.saturating_add(1)..);
            let packs = packs.filter(|(position, body)| self.is_left_to_anyone((sender, **position), body));
            // Each holds a message, so that more than this of one sender never fits.
            all.extend(packs.take(limit.messages.max(1)).map(|(_, body)| (body.order, &body.pack)));
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
        self.body(self.place(pack)?).map(|body| &body.pack)
    }

    /// Whether a sender has packs that are still to be told to `hearer`.
    pub(super) fn is_unsent_to(&self, sender: &str, hearer: &str) -> bool {
        let hearers = self.lanes.names().filter(|(_, lane)| &*lane.group == hearer);
        hearers
            .flat_map(|(hearer, _)| &self.owed[hearer])
            .any(|((from, _), row)| &*self.lanes.name(*from).group == sender && row.left() > 0)
    }

    /// Removes all rows of a group, and gives how many.
    pub(super) fn remove(&mut self, group: &str) -> u64 {
        let own = self.lanes.names().filter(|(_, lane)| &*lane.group == group);
        let hearers: Vec<usize> = own.map(|(number, _)| number).collect();
        let mut removed = 0;
        for hearer in hearers {
            for place in std::mem::take(&mut self.owed[hearer]).into_keys() {
                removed += 1;
                self.forget(place, hearer);
            }
        }
        self.rows += removed;
        removed
    }

    /// How many owed rows there are.
    pub(super) fn count(&self) -> u64 {
        self.owed.iter().map(|rows| rows.len() as u64).sum()
    }

    /// What is owed, of one key or all.
    pub(super) fn waiting(&self, hash: Option<u32>) -> impl Iterator<Item = Waiting> {
        let lanes: BTreeMap<&GroupLane, usize> =
            self.lanes.names().map(|(number, lane)| (lane, number)).collect();
        let rows = lanes.into_iter().flat_map(move |(lane, hearer)| {
            self.owed[hearer].iter().filter_map(move |(place, row)| Some((lane, self.body(*place)?, row)))
        });
        rows.filter(move |(_, body, row)| {
            hash.is_none_or(|hash| {
                (0..).zip(&body.pack.keys).any(|(index, key)| *key == hash && row.stands(index))
            })
        })
        .map(|(lane, body, row)| Waiting::Owed {
            lane: lane.clone(),
            pack: body.pack.id.clone(),
            topic: Name::clone(&row.topic),
            since: row.since,
            left: row.left(),
            marked: row.marked(),
        })
    }

    fn place(&self, pack: &PackId) -> Option<Place> {
        Some((self.lanes.find(&pack.sender)?, pack.position))
    }

    fn body(&self, (sender, position): Place) -> Option<&Body> {
        self.packs[sender].get(&position)
    }

    fn owed_to(&self, lane: &GroupLane) -> Option<&BTreeMap<Place, Row>> {
        self.owed.get(self.lanes.find(lane)?)
    }

    fn row(&self, lane: &GroupLane, pack: &PackId) -> Option<&Row> {
        self.owed_to(lane)?.get(&self.place(pack)?)
    }

    fn is_left_to_anyone(&self, place: Place, body: &Body) -> bool {
        let mut rows = body.hearers.iter().filter_map(|hearer| self.owed[*hearer].get(&place));
        rows.any(|row| row.left() > 0)
    }

    fn cut<'a>(
        &self,
        rows: impl Iterator<Item = Candidate<'a>>,
        delivered: &BTreeSet<Place>,
        limit: Limit,
    ) -> Vec<Owed> {
        let (mut room, mut bytes) = (limit.messages.max(1), 0);
        let mut owed: Vec<Owed> = Vec::new();
        for (place, row, overdue) in rows {
            let Some(Body { pack, .. }) = self.body(place) else { continue };
            bytes += pack.bytes.len();
            if room == 0 || (!owed.is_empty() && bytes > limit.bytes) {
                break;
            }
            let left: Vec<u16> = row.places().take(room).collect();
            room -= left.len();
            owed.push(Owed {
                pack: pack.id.clone(),
                topic: Name::clone(&row.topic),
                cut: left.len() < row.left(),
                left,
                count: u16::try_from(pack.keys.len()).unwrap_or(u16::MAX),
                bytes: (!delivered.contains(&place)).then(|| Bytes::clone(&pack.bytes)),
                overdue,
            });
        }
        owed
    }

    /// A body goes with its last row.
    fn forget(&mut self, (sender, position): Place, hearer: usize) {
        let Some(body) = self.packs[sender].get_mut(&position) else { return };
        body.hearers.retain(|other| *other != hearer);
        if body.hearers.is_empty() {
            self.packs[sender].remove(&position);
            self.rows += 1;
        }
    }
}

fn bounds(rows: &BTreeMap<Place, Row>, places: impl Iterator<Item = Place>) -> Bounds<'_> {
    let mut bounds = Bounds::new();
    for place in places {
        let Some(row) = rows.get(&place) else { continue };
        let bound = bounds.entry((place.0, &row.topic)).or_default();
        *bound = place.1.max(*bound);
    }
    bounds
}

fn within<'a>(rows: &'a BTreeMap<Place, Row>, bounds: &Bounds<'a>) -> impl Iterator<Item = (Place, &'a Row)> {
    bounds.iter().flat_map(|((sender, topic), last)| {
        let range = rows.range((*sender, 0)..=(*sender, *last)).map(|(place, row)| (*place, row));
        range.filter(|(_, row)| row.topic == **topic && row.left() > 0)
    })
}
