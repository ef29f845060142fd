//! The wishes that this process knows by heart: the new ones, and those that are claimed. All others lie in the file alone.

use oms_core::{clock::Timestamp, gateway::EffectKey, id::Name, store::StreamId};
use std::collections::{BTreeMap, BTreeSet};

/// How many wishes are known by heart at most when one is made; what is wished beyond that lies in the file alone, and may
/// have been told as far as anybody knows.
const MOST: usize = 10_000;

/// Wishes of one lane to one gateway.
pub(crate) type Queue = (i64, Name);

/// A wish that is known by heart.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) row: i64,
    pub(crate) queue: Queue,
    pub(crate) stream: StreamId,
    /// When it was wished, or due.
    pub(crate) look: Timestamp,
    pub(crate) claimed: bool,
    /// Whether an owner before this one, or this one before it let go of it, may have told it.
    pub(crate) maybe_told: bool,
}

/// A wish that may be claimed.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) key: EffectKey,
    pub(crate) wish: Wish,
    /// Whether only the file knows it.
    pub(crate) filed: bool,
}

/// What is known by heart.
#[derive(Default)]
pub(crate) struct Known {
    wishes: BTreeMap<EffectKey, Wish>,
    rows: BTreeSet<i64>,
    /// Those that an undo may take back.
    untold: BTreeMap<StreamId, BTreeSet<EffectKey>>,
    /// Those that may be claimed.
    pending: BTreeMap<Queue, BTreeMap<i64, EffectKey>>,
    /// From when on a wish of a queue that only the file knows may be due.
    looks: BTreeMap<Queue, Timestamp>,
}

impl Known {
    /// Whether a wish may be learned beside so many more.
    pub(crate) fn has_room(&self, more: usize) -> bool {
        self.wishes.len() + more < MOST
    }

    pub(crate) fn learn(&mut self, key: EffectKey, wish: Wish) {
        if !wish.claimed {
            self.pending.entry(wish.queue.clone()).or_default().insert(wish.row, key.clone());
        }
        if !wish.claimed && !wish.maybe_told {
            self.untold.entry(wish.stream.clone()).or_default().insert(key.clone());
        }
        self.rows.insert(wish.row);
        self.wishes.insert(key, wish);
    }

    pub(crate) fn forget(&mut self, key: &EffectKey) -> Option<Wish> {
        let wish = self.wishes.remove(key)?;
        self.rows.remove(&wish.row);
        if let Some(rows) = self.pending.get_mut(&wish.queue) {
            rows.remove(&wish.row);
            if rows.is_empty() {
                self.pending.remove(&wish.queue);
            }
        }
        if let Some(keys) = self.untold.get_mut(&wish.stream) {
            keys.remove(key);
            if keys.is_empty() {
                self.untold.remove(&wish.stream);
            }
        }
        Some(wish)
    }

    pub(crate) fn get(&self, key: &EffectKey) -> Option<&Wish> {
        self.wishes.get(key)
    }

    /// Whether the wish of this row is known.
    pub(crate) fn has_row(&self, row: i64) -> bool {
        self.rows.contains(&row)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&EffectKey, &Wish)> {
        self.wishes.iter()
    }

    /// Whether a wish may still be taken back.
    pub(crate) fn is_untold(&self, key: &EffectKey) -> bool {
        self.wishes.get(key).is_some_and(|wish| !wish.claimed && !wish.maybe_told)
    }

    /// The wishes of a stream that may still be taken back.
    pub(crate) fn untold(&self, stream: &StreamId) -> Vec<EffectKey> {
        self.untold.get(stream).into_iter().flatten().cloned().collect()
    }

    /// The first `limit` of each of these lanes that are known and may be claimed, whatever the clock says.
    pub(crate) fn pending(&self, lanes: &BTreeSet<i64>, gateway: &Name, limit: usize) -> Vec<Due> {
        let rows = lanes.iter().filter_map(|lane| self.pending.get(&(*lane, gateway.clone())));
        let keys = rows.flat_map(|rows| rows.values().take(limit));
        let due = |key: &EffectKey| {
            Some(Due { key: key.clone(), wish: self.wishes.get(key)?.clone(), filed: false })
        };
        keys.filter_map(due).collect()
    }

    /// Claims those of these wishes that still may be.
    pub(crate) fn claim(&mut self, due: Vec<Due>) -> Vec<(EffectKey, Wish)> {
        let mut claimed = Vec::with_capacity(due.len());
        for Due { key, wish, filed } in due {
            let wish = match self.wishes.get(&key) {
                Some(known) if !known.claimed => known.clone(),
                None if filed => wish,
                Some(_) | None => continue,
            };
            self.forget(&key);
            self.learn(key.clone(), Wish { claimed: true, ..wish.clone() });
            claimed.push((key, wish));
        }
        claimed
    }

    /// Takes back a claim that reached nobody.
    pub(crate) fn give_back(&mut self, key: &EffectKey) {
        if let Some(wish) = self.forget(key) {
            self.learn(key.clone(), Wish { claimed: false, ..wish });
        }
    }

    /// Lets the next owner of a lane claim what the one before had claimed, as if it had been told.
    pub(crate) fn unclaim(&mut self, lane: i64) {
        let theirs = |(_, wish): &(&EffectKey, &Wish)| wish.queue.0 == lane && wish.claimed;
        let keys: Vec<EffectKey> = self.wishes.iter().filter(theirs).map(|(key, _)| key.clone()).collect();
        for key in keys {
            if let Some(wish) = self.forget(&key) {
                self.learn(key, Wish { claimed: false, maybe_told: true, ..wish });
            }
        }
    }

    /// Notes that the file may have something due from then on.
    pub(crate) fn expect(&mut self, queue: Queue, look: Timestamp) {
        let known = self.looks.entry(queue).or_insert(look);
        *known = look.min(*known);
    }

    /// Takes out those of these lanes for which the file may have something due, each with the time that was known.
    pub(crate) fn take_expected(
        &mut self,
        lanes: &BTreeSet<i64>,
        gateway: &Name,
        now: Timestamp,
    ) -> Vec<(Queue, Timestamp)> {
        let mut take = |queue| {
            self.looks.get(&queue).filter(|look| **look <= now)?;
            self.looks.remove_entry(&queue)
        };
        lanes.iter().filter_map(|lane| take((*lane, gateway.clone()))).collect()
    }

    /// When the next wish of these lanes may be due.
    pub(crate) fn next(&self, lanes: &BTreeSet<i64>, gateway: &Name, now: Timestamp) -> Option<Timestamp> {
        let queues = lanes.iter().map(|lane| (*lane, gateway.clone()));
        let next = |queue: Queue| {
            let known = self.pending.contains_key(&queue).then_some(now);
            known.or_else(|| self.looks.get(&queue).copied())
        };
        queues.filter_map(next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(row: i64) -> (EffectKey, Wish) {
        let stream = StreamId::keyed("payment", &row.to_string());
        let look = Timestamp(row);
        let (claimed, maybe_told) = (false, false);
        let queue = (1, "bank".into());
        (EffectKey::new(&row.to_string(), "pay", 1), Wish { row, queue, stream, look, claimed, maybe_told })
    }

    fn is_empty(known: &Known) -> bool {
        known.wishes.is_empty()
            && known.rows.is_empty()
            && known.untold.is_empty()
            && known.pending.is_empty()
    }

    #[test]
    fn what_was_let_go_of_or_has_ended_leaves_nothing_behind() {
        let mut known = Known::default();
        (0..10).map(wish).for_each(|(key, wish)| known.learn(key, wish));
        let due = known.pending(&[1].into(), &"bank".into(), 7);
        let claimed = known.claim(due);
        known.give_back(&claimed[0].0);
        known.unclaim(1);
        assert!(!is_empty(&known));
        (0..10).map(wish).for_each(|(key, _)| drop(known.forget(&key)));
        assert!(is_empty(&known));
    }

    #[test]
    fn rule_18_only_what_nobody_was_ever_given_may_be_taken_back() {
        let mut known = Known::default();
        (0..3).map(wish).for_each(|(key, wish)| known.learn(key, wish));
        let claimed = known.claim(known.pending(&[1].into(), &"bank".into(), 2));
        known.give_back(&claimed[0].0);
        let untold = |known: &Known| (0..3).map(|row| known.is_untold(&wish(row).0)).collect::<Vec<_>>();
        assert_eq!(untold(&known), [true, false, true]);
        known.claim(known.pending(&[1].into(), &"bank".into(), 2));
        known.unclaim(1);
        assert_eq!(untold(&known), [false, false, false]);
        assert_eq!(known.pending(&[1].into(), &"bank".into(), 9).len(), 3, "the next owner may claim all");
    }
}
