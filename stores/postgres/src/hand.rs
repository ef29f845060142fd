//! The wishes that this process has in hand: those it has claimed, and those that it made and nobody can have told.

use oms_core::{
    gateway::{Effect, EffectKey},
    id::{Name, StreamId},
    store::Doing,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many wishes to one gateway are remembered as untold when another is made; any other may have been told as far as anybody
/// knows. A gateway that is slow fills its own share.
const MOST: usize = 10_000;

/// A lane's number, and the epoch of its lease.
pub(crate) type Tenure = (i32, i64);

/// What is in hand. All of it holds for one epoch of a lane: another owner of the lane begins with nothing.
#[derive(Default)]
pub(crate) struct Hand {
    /// The leases that this process was given.
    granted: BTreeSet<Tenure>,
    claimed: BTreeMap<EffectKey, (Tenure, i64)>,
    untold: BTreeMap<EffectKey, Untold>,
    /// How many of them each gateway has.
    shares: BTreeMap<Name, usize>,
    of_stream: BTreeMap<StreamId, BTreeSet<EffectKey>>,
}

/// A wish that was made here and told to nobody.
struct Untold {
    tenure: Tenure,
    stream: StreamId,
    gateway: Name,
}

impl Hand {
    /// Notes that a lane is ours under this epoch, or was given back by us with it. Directly behind the one that is known nobody was
    /// between, so that what nobody was told then nobody was told since; else another owner of the lane may have told everything.
    pub(crate) fn grant(&mut self, tenure: Tenure) {
        if self.granted.contains(&tenure) {
            return;
        }
        let before = (tenure.0, tenure.1 - 1);
        let follows = self.is_ours(before);
        self.granted.retain(|(lane, _)| *lane != tenure.0);
        self.granted.insert(tenure);
        self.claimed.retain(|_, (known, _)| known.0 != tenure.0);
        let own = self.untold.iter_mut().filter(|(_, untold)| untold.tenure.0 == tenure.0);
        let mut stale = Vec::new();
        for (key, untold) in own {
            if follows && untold.tenure == before {
                untold.tenure = tenure;
            } else {
                stale.push(key.clone());
            }
        }
        stale.iter().for_each(|key| self.tell(key));
    }

    /// Whether nobody else can have claimed anything under this tenure: it is ours, or there never was one.
    fn is_ours(&self, tenure: Tenure) -> bool {
        tenure.1 == 0 || self.granted.contains(&tenure)
    }

    /// Notes a wish that was made under a tenure.
    pub(crate) fn wish(&mut self, key: EffectKey, gateway: &Name, stream: StreamId, tenure: Tenure) {
        // One of that name that was made before has gone.
        self.tell(&key);
        if self.claimed.contains_key(&key) || !self.is_ours(tenure) {
            return;
        }
        let share = self.shares.entry(gateway.clone()).or_default();
        if *share >= MOST {
            return;
        }
        *share += 1;
        self.of_stream.entry(stream.clone()).or_default().insert(key.clone());
        self.untold.insert(key, Untold { tenure, stream, gateway: gateway.clone() });
    }

    /// Notes that somebody may have been told from now on, or that the wish has gone.
    fn tell(&mut self, key: &EffectKey) {
        let Some(Untold { stream, gateway, .. }) = self.untold.remove(key) else { return };
        if let Some(share) = self.shares.get_mut(&gateway) {
            *share = share.saturating_sub(1);
        }
        if let Some(keys) = self.of_stream.get_mut(&stream) {
            keys.remove(key);
            if keys.is_empty() {
                self.of_stream.remove(&stream);
            }
        }
    }

    /// Whether a wish may be taken back: it was made under this tenure, and nobody was told.
    pub(crate) fn is_untold(&self, key: &EffectKey, tenure: Tenure) -> bool {
        self.untold.get(key).is_some_and(|untold| untold.tenure == tenure) && self.is_ours(tenure)
    }

    /// The wishes of a stream that may be taken back.
    pub(crate) fn untold(&self, stream: &StreamId, tenure: Tenure) -> Vec<EffectKey> {
        let keys = self.of_stream.get(stream).into_iter().flatten();
        keys.filter(|key| self.is_untold(key, tenure)).cloned().collect()
    }

    /// Whether a wish was made here and told to nobody, whatever its tenure: for people.
    pub(crate) fn is_fresh(&self, key: &EffectKey) -> bool {
        self.untold.contains_key(key)
    }

    /// The rows of wishes that are claimed under these tenures.
    pub(crate) fn claimed(&self, tenures: &BTreeSet<Tenure>) -> Vec<i64> {
        let own = self.claimed.values().filter(|(tenure, _)| tenures.contains(tenure));
        own.map(|(_, row)| *row).collect()
    }

    /// Claims a wish; says whether it may have been told before. `None` when it is claimed already.
    pub(crate) fn claim(&mut self, key: &EffectKey, tenure: Tenure, row: i64) -> Option<bool> {
        if self.claimed.get(key).is_some_and(|(known, _)| *known == tenure) {
            return None;
        }
        let maybe_told = !self.is_untold(key, tenure);
        self.tell(key);
        self.claimed.insert(key.clone(), (tenure, row));
        Some(maybe_told)
    }

    /// Takes back a claim that reached nobody.
    pub(crate) fn give_back(&mut self, doing: &Doing) {
        let Effect { key, gateway, stream, .. } = &doing.effect;
        let Some((tenure, _)) = self.claimed.remove(key) else { return };
        if !doing.maybe_told {
            self.wish(key.clone(), gateway, stream.clone(), tenure);
        }
    }

    /// Whether a wish is claimed under a tenure.
    pub(crate) fn is_claimed(&self, key: &EffectKey, tenure: Tenure) -> bool {
        self.claimed.get(key).is_some_and(|(known, _)| *known == tenure)
    }

    /// Notes that a wish has gone, or was let go of.
    pub(crate) fn forget(&mut self, key: &EffectKey) {
        self.claimed.remove(key);
        self.tell(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use oms_core::{id::MessageId, message::GroupLane};

    fn key(number: u32) -> EffectKey {
        EffectKey::new("order", "pay", number)
    }

    fn stream() -> StreamId {
        StreamId::keyed("payment", "order")
    }

    #[test]
    fn rule_18_only_what_nobody_was_ever_given_may_be_taken_back() {
        let mut hand = Hand::default();
        hand.grant((1, 7));
        (0..3).for_each(|number| hand.wish(key(number), &Name::from("bank"), stream(), (1, 7)));
        assert_eq!(hand.claim(&key(0), (1, 7), 10), Some(false));
        assert_eq!(hand.claim(&key(0), (1, 7), 10), None, "claimed twice");
        assert_eq!(hand.untold(&stream(), (1, 7)), [key(1), key(2)]);
        hand.forget(&key(0));
        assert_eq!(hand.claim(&key(0), (1, 7), 10), Some(true), "let go of, and claimed again");
    }

    #[test]
    fn rule_18_another_owner_of_the_lane_leaves_nothing_in_hand() {
        let mut hand = Hand::default();
        hand.wish(key(0), &Name::from("bank"), stream(), (1, 7));
        assert!(hand.untold(&stream(), (1, 7)).is_empty(), "somebody else may have the lease");
        hand.grant((1, 7));
        (0..2).for_each(|number| hand.wish(key(number), &Name::from("bank"), stream(), (1, 7)));
        assert_eq!(hand.claim(&key(0), (1, 7), 10), Some(false));
        hand.grant((1, 9));
        assert!(hand.untold(&stream(), (1, 9)).is_empty() && hand.untold(&stream(), (1, 7)).is_empty());
        assert_eq!(hand.claim(&key(0), (1, 9), 10), Some(true));
        assert_eq!(hand.claim(&key(1), (1, 9), 11), Some(true));
    }

    #[test]
    fn rule_18_what_nobody_was_told_stays_so_while_nobody_else_can_have_had_the_lane() {
        let mut hand = Hand::default();
        (0..2).for_each(|number| hand.wish(key(number), &Name::from("bank"), stream(), (1, 0)));
        hand.grant((1, 1));
        assert_eq!(hand.claim(&key(0), (1, 1), 10), Some(false));
        hand.grant((1, 2));
        assert_eq!(hand.untold(&stream(), (1, 2)), [key(1)]);
        assert_eq!(hand.claim(&key(0), (1, 2), 10), Some(true), "claimed before");
    }

    #[test]
    fn a_claim_that_reached_nobody_is_as_it_was() {
        let mut hand = Hand::default();
        hand.wish(key(0), &Name::from("bank"), stream(), (1, 0));
        assert_eq!(hand.claim(&key(0), (1, 0), 10), Some(false));
        let effect = Effect {
            key: key(0),
            stream: stream(),
            gateway: Name::from("bank"),
            request: Bytes::new(),
            cause: MessageId(1),
        };
        let lane = GroupLane::new("payment", 0);
        hand.give_back(&Doing { effect, lane, maybe_told: false, heard: None, calls: 0 });
        assert_eq!(hand.untold(&stream(), (1, 0)), [key(0)]);
        assert!(!hand.is_claimed(&key(0), (1, 0)));
    }

    #[test]
    fn a_gateway_that_is_slow_fills_its_own_share_and_no_other() {
        let (mut hand, bank) = (Hand::default(), Name::from("bank"));
        let last = u32::try_from(MOST).expect("a number");
        (0..=last).for_each(|number| hand.wish(key(number), &Name::from("post"), stream(), (1, 0)));
        assert!(hand.is_fresh(&key(last - 1)) && !hand.is_fresh(&key(last)), "its share is full");
        hand.wish(key(last + 1), &bank, stream(), (1, 0));
        assert!(hand.is_fresh(&key(last + 1)));
        hand.forget(&key(0));
        hand.wish(key(last), &Name::from("post"), stream(), (1, 0));
        assert!(hand.is_fresh(&key(last)), "and has room again");
    }
}
