//! What a reader holds of its lane between the server and the worker; pure.

use bytes::Bytes;
use oms_core::{broker::Settlement, message::Limit};
use std::collections::{BTreeMap, BTreeSet};

/// Acks that the server has to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acks {
    /// Everything that was delivered up to this tag.
    pub(crate) up_to: Option<u64>,
    /// Each of these by itself.
    pub(crate) single: Vec<u64>,
}

/// Deliveries of one channel, by the server's tags, which only rise.
#[derive(Debug)]
pub(crate) struct Held {
    window: Limit,
    /// Arrived or released, and not given out.
    waiting: BTreeMap<u64, Bytes>,
    /// Given out and not settled.
    given: BTreeMap<u64, Bytes>,
    given_bytes: usize,
    /// Acked, and the server does not know.
    acked: BTreeSet<u64>,
}

impl Held {
    /// Holds nothing yet.
    pub(crate) fn new(window: Limit) -> Self {
        Self {
            window,
            waiting: BTreeMap::new(),
            given: BTreeMap::new(),
            given_bytes: 0,
            acked: BTreeSet::new(),
        }
    }

    pub(crate) fn arrive(&mut self, tag: u64, bytes: Bytes) {
        self.waiting.insert(tag, bytes);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many are given out and not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.given.len()
    }

    /// Gives out what limit and window allow, in the server's order.
    pub(crate) fn give(&mut self, limit: Limit) -> Vec<(u64, Bytes)> {
        let (mut given, mut size) = (Vec::new(), 0);
        while let Some(next) = self.waiting.first_entry() {
            let more = next.get().len();
            let fits = given.is_empty() || (given.len() < limit.messages && size + more <= limit.bytes);
            let room = self.given.is_empty()
                || (self.given.len() < self.window.messages && self.given_bytes + more <= self.window.bytes);
            if !fits || !room {
                break;
            }
            let (tag, bytes) = next.remove_entry();
            size += more;
            self.given_bytes += more;
            self.given.insert(tag, bytes.clone());
            given.push((tag, bytes));
        }
        given
    }

    /// Settles one; false when it is not given out. What is released waits again, in its place, and the server never learns: it
    /// would put it behind what is on its way here already, and count it against the message.
    pub(crate) fn settle(&mut self, tag: u64, settlement: Settlement) -> bool {
        let Some(bytes) = self.given.remove(&tag) else { return false };
        self.given_bytes -= bytes.len();
        match settlement {
            Settlement::Ack => {
                self.acked.insert(tag);
            }
            Settlement::Release => {
                self.waiting.insert(tag, bytes);
            }
        }
        true
    }

    /// Takes what the server has to be told: one word for everything before the first that is still open, and one for each behind.
    pub(crate) fn acks(&mut self) -> Acks {
        let open = [self.waiting.first_key_value(), self.given.first_key_value()];
        let open = open.into_iter().flatten().map(|(tag, _)| *tag).min();
        let behind = open.map_or_else(BTreeSet::new, |open| self.acked.split_off(&open));
        let up_to = self.acked.last().copied();
        self.acked.clear();
        Acks { up_to, single: behind.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Limit = Limit { messages: 4, bytes: 100 };
    const WIDE: Limit = Limit { messages: 100, bytes: 1_000 };

    #[derive(Clone, Debug)]
    enum Step {
        Arrive(usize),
        Give(usize, usize),
        Settle(usize, bool),
        Tell,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..60_usize).prop_map(Step::Arrive),
            (1..6_usize, 1..200_usize).prop_map(|(messages, bytes)| Step::Give(messages, bytes)),
            (0..8_usize, any::<bool>()).prop_map(|(pick, ack)| Step::Settle(pick, ack)),
            Just(Step::Tell),
        ]
    }

    /// A server: what it delivered and was not told of.
    fn tell(server: &mut BTreeSet<u64>, acks: &Acks) -> BTreeSet<u64> {
        let told = |tag: &u64| acks.up_to.is_some_and(|up_to| *tag <= up_to) || acks.single.contains(tag);
        let gone: BTreeSet<u64> = server.iter().copied().filter(told).collect();
        server.retain(|tag| !gone.contains(tag));
        gone
    }

    proptest! {
        /// Whatever happens in whatever order: the server forgets exactly what the worker acked, nothing is given out twice at
        /// once, and the window holds.
        #[test]
        fn the_server_is_told_of_what_was_acked_and_of_nothing_else(steps in prop::collection::vec(step(), 0..80)) {
            let mut held = Held::new(WINDOW);
            let (mut server, mut given, mut acked) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
            let mut next = 0;
            for step in steps.into_iter().chain([Step::Tell]) {
                match step {
                    Step::Arrive(size) => {
                        next += 1;
                        server.insert(next);
                        held.arrive(next, vec![0; size].into());
                    }
                    Step::Give(messages, bytes) => {
                        let out = held.give(Limit { messages, bytes });
                        let size: usize = out.iter().map(|(_, bytes)| bytes.len()).sum();
                        prop_assert!(out.len() <= 1 || (out.len() <= messages && size <= bytes));
                        prop_assert!(out.is_sorted_by_key(|(tag, _)| *tag));
                        for (tag, bytes) in out {
                            prop_assert!(given.insert(tag, bytes.len()).is_none(), "given out twice");
                        }
                        let all: usize = given.values().sum();
                        prop_assert!(given.len() <= 1 || (given.len() <= 4 && all <= 100), "the window is passed");
                    }
                    Step::Settle(pick, ack) => {
                        let Some(tag) = given.keys().nth(pick).copied() else { continue };
                        let settlement = if ack { Settlement::Ack } else { Settlement::Release };
                        prop_assert!(held.settle(tag, settlement));
                        prop_assert!(!held.settle(tag, settlement), "settled twice");
                        given.remove(&tag);
                        if ack {
                            acked.insert(tag);
                        }
                    }
                    Step::Tell => {
                        prop_assert_eq!(tell(&mut server, &held.acks()), std::mem::take(&mut acked));
                        prop_assert_eq!(held.acks(), Acks::default());
                    }
                }
                prop_assert_eq!(held.unsettled(), given.len());
            }
        }
    }

    #[test]
    fn acks_in_order_are_one_word_and_what_is_behind_an_open_one_is_told_by_itself() {
        let mut held = Held::new(WIDE);
        (1..=6).for_each(|tag| held.arrive(tag, Bytes::new()));
        held.give(WIDE);
        for tag in [1, 2, 4, 6] {
            assert!(held.settle(tag, Settlement::Ack));
        }
        assert_eq!(held.acks(), Acks { up_to: Some(2), single: vec![4, 6] });
        assert!(held.settle(3, Settlement::Ack) && held.settle(5, Settlement::Ack));
        assert_eq!(held.acks(), Acks { up_to: Some(5), single: vec![] });
    }

    #[test]
    fn what_is_released_returns_to_its_place() {
        let mut held = Held::new(WIDE);
        (7..=9).for_each(|tag| held.arrive(tag, Bytes::new()));
        held.give(Limit { messages: 2, bytes: 100 });
        assert!(held.settle(8, Settlement::Release) && held.settle(7, Settlement::Release));
        let again: Vec<u64> = held.give(WIDE).into_iter().map(|(tag, _)| tag).collect();
        assert_eq!(again, [7, 8, 9]);
    }
}
