//! What this process keeps in memory because it alone owns the file: all of it is derived again when it is opened.

use crate::known::{Known, Queue, Wish};
use oms_core::{
    broker::Topology,
    clock::Timestamp,
    gateway::EffectKey,
    id::Name,
    message::GroupLane,
    store::{Counts, Lease, Owners, PUBLIC, StoreError, Tenures},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) type SharedPresent = Arc<Mutex<Present>>;

pub(crate) fn present(shared: &SharedPresent) -> MutexGuard<'_, Present> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each group with the topics it hears.
pub(crate) type Hears = Arc<BTreeMap<Name, BTreeSet<Name>>>;

/// Whose lease a lane is.
struct Tenure {
    owner: u128,
    epoch: u64,
    until: Timestamp,
}

/// A sender's positions: the next one to give, and how far they are reserved in the file.
#[derive(Clone, Copy, Default)]
pub(crate) struct Places {
    pub(crate) next: u64,
    pub(crate) reserved: u64,
}

/// What a commit changes here, once it is durable.
#[derive(Default)]
pub(crate) struct After {
    pub(crate) owed: i64,
    pub(crate) parked: i64,
    pub(crate) buried: i64,
    pub(crate) effects: i64,
    pub(crate) wished: Vec<(EffectKey, Wish)>,
    /// Wishes that have ended.
    pub(crate) gone: Vec<EffectKey>,
    /// Wishes that were let go of.
    pub(crate) parted: Vec<EffectKey>,
    /// When a wish that only the file knows is due.
    pub(crate) looks: Vec<(Queue, Timestamp)>,
    pub(crate) places: Option<(i64, Places)>,
    pub(crate) lanes: Vec<(i64, GroupLane, u64)>,
    /// The revision, the number of lanes, and who hears what.
    pub(crate) hears: Option<(u64, u16, Hears)>,
    pub(crate) orphans: bool,
    /// Keys of which more or less is owed to a lane.
    pub(crate) keys: Vec<(i64, u32, i64)>,
    /// Lanes to which nothing is owed any more.
    pub(crate) ended: Vec<i64>,
}

/// The rows of lanes, which never change once they are there.
#[derive(Clone, Default)]
pub(crate) struct Book {
    pub(crate) ids: BTreeMap<GroupLane, i64>,
    names: BTreeMap<i64, GroupLane>,
    /// How many lanes every group has.
    pub(crate) lanes: u16,
}

impl Book {
    /// The name of a lane whose row is known.
    pub(crate) fn name(&self, id: i64) -> GroupLane {
        self.names.get(&id).cloned().unwrap_or_else(|| GroupLane::new("", 0))
    }

    pub(crate) fn id(&self, group: &str, lane: u16) -> Option<i64> {
        self.ids.get(&GroupLane::new(group, lane)).copied()
    }
}

#[derive(Default)]
pub(crate) struct Present {
    pub(crate) book: Arc<Book>,
    pub(crate) places: BTreeMap<i64, Places>,
    pub(crate) hears: Hears,
    pub(crate) revision: u64,
    pub(crate) known: Known,
    pub(crate) counts: Counts,
    /// Packs that nobody is owed may have been left behind.
    pub(crate) orphans: bool,
    tenures: BTreeMap<GroupLane, Tenure>,
    pub(crate) removed: BTreeSet<Name>,
    pub(crate) owners: Owners,
    epoch: u64,
    /// How many places of each key are owed to a lane, left or parked.
    keys: BTreeMap<(i64, u32), u64>,
}

fn add(count: &mut u64, by: i64) {
    *count = count.saturating_add_signed(by);
}

impl Present {
    /// Starts with epochs above those of every earlier opening of the file.
    pub(crate) fn new(opening: u64) -> Self {
        Self { epoch: opening << 24, orphans: true, ..Self::default() }
    }

    pub(crate) fn apply(&mut self, after: After) {
        add(&mut self.counts.owed, after.owed);
        add(&mut self.counts.parked, after.parked);
        add(&mut self.counts.buried, after.buried);
        add(&mut self.counts.effects, after.effects);
        let gone = after.gone.iter().chain(&after.parted);
        gone.for_each(|key| drop(self.known.forget(key)));
        after.wished.into_iter().for_each(|(key, wish)| self.known.learn(key, wish));
        after.looks.into_iter().for_each(|(queue, look)| self.known.expect(queue, look));
        if let Some((lane, places)) = after.places {
            self.places.insert(lane, places);
        }
        after.lanes.into_iter().for_each(|(id, lane, reserved)| self.know(id, lane, reserved));
        if let Some((revision, lanes, hears)) = after.hears {
            (self.revision, self.hears) = (revision, hears);
            Arc::make_mut(&mut self.book).lanes = lanes;
        }
        self.orphans |= after.orphans;
        if !after.ended.is_empty() {
            self.keys.retain(|(hearer, _), _| !after.ended.contains(hearer));
        }
        after.keys.into_iter().for_each(|(hearer, key, by)| self.owe(hearer, key, by));
    }

    /// Counts places of a key that are owed to a lane.
    pub(crate) fn owe(&mut self, hearer: i64, key: u32, by: i64) {
        let count = self.keys.entry((hearer, key)).or_default();
        add(count, by);
        if *count == 0 {
            self.keys.remove(&(hearer, key));
        }
    }

    /// Whether anything of a key is owed to a lane: left or parked, not buried.
    pub(crate) fn is_owed(&self, hearer: i64, key: u32) -> bool {
        self.keys.contains_key(&(hearer, key))
    }

    pub(crate) fn know(&mut self, id: i64, lane: GroupLane, reserved: u64) {
        self.places.entry(id).or_insert(Places { next: reserved.max(1), reserved });
        let book = Arc::make_mut(&mut self.book);
        book.ids.insert(lane.clone(), id);
        book.names.insert(id, lane);
    }

    pub(crate) fn holds(&self, lease: &Lease) -> bool {
        self.tenures.get(&lease.lane).is_some_and(|tenure| tenure.epoch == lease.epoch)
    }

    /// Refuses who has lost one of these leases.
    pub(crate) fn all_held(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let lost = leases.iter().find(|lease| !self.holds(lease));
        lost.map_or(Ok(()), |lost| Err(StoreError::LostLease(lost.lane.clone())))
    }

    /// Ends every lease of a group and gives none out any more; whoever holds one is fenced off.
    pub(crate) fn evict(&mut self, group: &str) {
        self.tenures.retain(|lane, _| *lane.group != *group);
        self.removed.insert(Name::from(group));
    }

    /// Lets a group that is registered again have leases.
    pub(crate) fn admit<'a>(&mut self, groups: impl Iterator<Item = &'a Name>) {
        groups.for_each(|group| {
            self.removed.remove(group);
        });
    }

    /// Whether a wish of the group that is known by heart may have been told and has no last answer.
    pub(crate) fn is_telling(&self, group: &str) -> bool {
        let mut told = self.known.all().filter(|(_, wish)| wish.claimed || wish.maybe_told);
        told.any(|(_, wish)| *self.book.name(wish.queue.0).group == *group)
    }

    /// The whole topology, as it is registered.
    pub(crate) fn topology(&self) -> Topology {
        let mut hears = (*self.hears).clone();
        let public = hears.remove(PUBLIC).unwrap_or_default();
        Topology { hears, public, lanes: self.book.lanes }
    }
}

impl Tenures for Present {
    fn is_held_by(&self, owner: u128, lane: &GroupLane) -> bool {
        self.tenures.get(lane).is_some_and(|tenure| tenure.owner == owner)
    }

    fn claim(&mut self, owner: u128, lane: &GroupLane, time: Duration, now: Timestamp) -> Option<Lease> {
        let held = self.tenures.get_mut(lane);
        if time.is_zero() {
            if held.is_some_and(|tenure| tenure.owner == owner) {
                self.tenures.remove(lane);
            }
            return None;
        }
        let until = now.after(time);
        if let Some(tenure) = held {
            if tenure.owner == owner {
                tenure.until = until;
                return Some(Lease { lane: lane.clone(), epoch: tenure.epoch, left: time });
            }
            if tenure.until > now {
                return None;
            }
        }
        self.epoch += 1;
        self.tenures.insert(lane.clone(), Tenure { owner, epoch: self.epoch, until });
        if let Some(id) = self.book.ids.get(lane).copied() {
            self.known.unclaim(id);
        }
        Some(Lease { lane: lane.clone(), epoch: self.epoch, left: time })
    }
}
