//! Leases, and how many lanes who may hold: they spread evenly over the processes that are alive (rule 8).

use crate::{clock::Timestamp, id::Name, message::GroupLane};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The right to serve a lane, for a while. The store's clock alone decides how long (rule 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The lane.
    pub lane: GroupLane,
    /// Grows whenever the lane changes hands.
    pub epoch: u64,
    /// How long it still held when the store answered.
    pub left: Duration,
}

/// The owners that have asked for lanes within their lease time, and for which groups; for those who implement a store.
#[derive(Debug, Default)]
pub struct Owners(BTreeMap<u128, (Timestamp, BTreeSet<Name>)>);

/// The lanes of a store, as [`Owners::lease`] needs them.
pub trait Tenures {
    /// Whether the newest lease of the lane is the owner's, run out or not.
    fn is_held_by(&self, owner: u128, lane: &GroupLane) -> bool;

    /// Claims the lane, or keeps it; gives it back when `time` is zero.
    fn claim(&mut self, owner: u128, lane: &GroupLane, time: Duration, now: Timestamp) -> Option<Lease>;
}

/// The owners that asked before, each with the time until which it counts as alive and its groups; for a store that keeps them
/// in a database.
impl FromIterator<(u128, Timestamp, BTreeSet<Name>)> for Owners {
    fn from_iter<T: IntoIterator<Item = (u128, Timestamp, BTreeSet<Name>)>>(owners: T) -> Self {
        Self(owners.into_iter().map(|(owner, until, groups)| (owner, (until, groups))).collect())
    }
}

impl Owners {
    /// Leases lanes to one owner: of each group at most its even share among the owners alive, rounded up. What it holds
    /// beyond that it gives back, and another takes it with its next call. A `time` of zero gives everything back.
    pub fn lease(
        &mut self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
        now: Timestamp,
        tenures: &mut impl Tenures,
    ) -> Vec<Lease> {
        let mut left = self.shares(owner, wanted, time, now);
        let (held, free): (Vec<_>, Vec<_>) = wanted.iter().partition(|lane| tenures.is_held_by(owner, lane));
        let mut leases = BTreeMap::new();
        for lane in held.into_iter().chain(free) {
            let room = left.get_mut(&lane.group).filter(|room| **room > 0);
            let time = if room.is_some() { time } else { Duration::ZERO };
            if let Some(lease) = tenures.claim(owner, lane, time, now) {
                room.into_iter().for_each(|room| *room -= 1);
                leases.insert(lane, lease);
            }
        }
        wanted.iter().filter_map(|lane| leases.remove(lane)).collect()
    }

    /// Notes that an owner is alive; gives how many lanes of each group it may hold.
    fn shares(
        &mut self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
        now: Timestamp,
    ) -> BTreeMap<Name, usize> {
        self.0.retain(|_, (until, _)| *until > now);
        if time.is_zero() {
            self.0.remove(&owner);
            return BTreeMap::new();
        }
        let mut lanes: BTreeMap<Name, usize> = BTreeMap::new();
        wanted.iter().for_each(|lane| *lanes.entry(Name::clone(&lane.group)).or_default() += 1);
        self.0.insert(owner, (now.after(time), lanes.keys().cloned().collect()));
        let alive = |group: &Name| self.0.values().filter(|(_, groups)| groups.contains(group)).count();
        let shares =
            lanes.iter().map(|(group, count)| (Name::clone(group), count.div_ceil(alive(group).max(1))));
        shares.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Lanes(BTreeMap<GroupLane, u128>);

    impl Tenures for Lanes {
        fn is_held_by(&self, owner: u128, lane: &GroupLane) -> bool {
            self.0.get(lane) == Some(&owner)
        }

        fn claim(&mut self, owner: u128, lane: &GroupLane, time: Duration, _: Timestamp) -> Option<Lease> {
            if time.is_zero() {
                self.0.retain(|known, holder| known != lane || *holder != owner);
                return None;
            }
            let holder = *self.0.entry(lane.clone()).or_insert(owner);
            (holder == owner).then(|| Lease { lane: lane.clone(), epoch: 1, left: time })
        }
    }

    const TIME: Duration = Duration::from_secs(10);

    fn wanted() -> Vec<GroupLane> {
        (0..5).map(|lane| GroupLane::new("order", lane)).collect()
    }

    fn held(owners: &mut Owners, lanes: &mut Lanes, owner: u128, now: i64) -> usize {
        owners.lease(owner, &wanted(), TIME, Timestamp(now), lanes).len()
    }

    #[test]
    fn rule_08_one_process_holds_all_and_two_share_evenly_once_the_first_has_asked_again() {
        let (mut owners, mut lanes) = (Owners::default(), Lanes::default());
        assert_eq!(held(&mut owners, &mut lanes, 1, 0), 5);
        assert_eq!(held(&mut owners, &mut lanes, 2, 1), 0, "the first has not given anything back yet");
        assert_eq!(held(&mut owners, &mut lanes, 1, 2), 3);
        assert_eq!(held(&mut owners, &mut lanes, 2, 3), 2);
        assert_eq!(held(&mut owners, &mut lanes, 1, 4), 3, "nothing moves any more");
    }

    #[test]
    fn rule_08_who_stops_or_dies_leaves_its_lanes_to_the_others() {
        let (mut owners, mut lanes) = (Owners::default(), Lanes::default());
        held(&mut owners, &mut lanes, 1, 0);
        held(&mut owners, &mut lanes, 2, 1);
        held(&mut owners, &mut lanes, 1, 2);
        held(&mut owners, &mut lanes, 2, 3);
        assert!(owners.lease(1, &wanted(), Duration::ZERO, Timestamp(4), &mut lanes).is_empty());
        assert_eq!(held(&mut owners, &mut lanes, 2, 5), 5, "the first stopped");
        held(&mut owners, &mut lanes, 3, 6);
        let long_after = 6 + 20_000_000;
        assert_eq!(held(&mut owners, &mut lanes, 2, long_after), 5, "the third was not heard of again");
    }
}
