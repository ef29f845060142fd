//! What a reader holds of its lane: pure bookkeeping of what waits, flies and may be committed.

use bytes::Bytes;
use oms_core::{broker::Settlement, message::Limit};
use std::collections::{BTreeSet, VecDeque};

/// One delivery, and where it came from.
#[derive(Debug)]
struct Piece {
    source: usize,
    /// Its place among all that ever arrived from its source.
    place: u64,
    /// Its place among all that ever arrived.
    arrival: u64,
    bytes: Bytes,
}

/// The offsets of one source that are not acked yet, in their order.
///
/// The watermark is the offset up to which everything is acked. It never passes what is not.
#[derive(Debug)]
pub(crate) struct Source {
    first: u64,
    open: VecDeque<(i64, bool)>,
    ahead: usize,
    next: i64,
    /// Acked by an earlier reader, above where it was committed.
    skip: BTreeSet<i64>,
    /// The last offset that was passed by and asked for again.
    again: Option<i64>,
}

/// What an offset is to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The next one; its place.
    On(u64),
    /// One that was here before.
    Back,
    /// One behind others that have not come.
    Gap,
}

impl Source {
    /// Begins where the group was committed, and skips what was acked above that.
    pub(crate) fn new(start: i64, skip: BTreeSet<i64>) -> Self {
        Self { first: 0, open: VecDeque::new(), ahead: 0, next: start, skip, again: None }
    }

    /// The offset that is expected next.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// Notes an arrival. Where offsets are passed by, it is left alone once: they may be of a transaction or gone for good, or
    /// the client may have lost them on the way.
    fn arrive(&mut self, offset: i64) -> Step {
        let fresh = self.first == 0 && self.open.is_empty();
        if offset < self.next && !fresh {
            return Step::Back;
        }
        if offset > self.next && self.again.replace(self.next) != Some(self.next) {
            return Step::Gap;
        }
        // What was passed by will not come any more.
        while self.skip.first().is_some_and(|skipped| *skipped < offset) {
            self.skip.pop_first();
        }
        self.next = offset + 1;
        self.open.push_back((offset, false));
        Step::On(self.first + self.open.len() as u64 - 1)
    }

    /// Acks a place; true when what is to be committed has changed.
    fn ack(&mut self, place: u64) -> bool {
        let entry = place.checked_sub(self.first).and_then(|at| self.open.get_mut(usize::try_from(at).ok()?));
        let Some((_, acked @ false)) = entry else { return false };
        *acked = true;
        self.ahead += 1;
        while let Some((_, true)) = self.open.front() {
            self.open.pop_front();
            self.first += 1;
            self.ahead -= 1;
        }
        true
    }

    /// The offset to commit: everything below it is acked.
    pub(crate) fn watermark(&self) -> i64 {
        self.open.front().map_or(self.next, |(offset, _)| *offset)
    }

    /// The offsets above the watermark that are acked.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = i64> {
        // What an earlier reader acked, and has not come by yet, stays acked.
        let before = self.skip.iter().copied();
        let open = if self.ahead == 0 { None } else { Some(&self.open) };
        let here = open.into_iter().flatten().filter(|(_, acked)| *acked).map(|(offset, _)| *offset);
        here.chain(before)
    }
}

/// What became of what the client brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It waits to be delivered.
    Waits,
    /// It was acked by an earlier reader.
    Skipped,
    /// The offset was here before, which no one server does.
    Again,
    /// Offsets before it have not come: all from the next one on are to be fetched again.
    Gap,
}

/// Everything between the client's queues and the worker.
#[derive(Debug)]
pub(crate) struct Settlements {
    window: Limit,
    sources: Vec<Source>,
    arrivals: u64,
    /// Arrived or released, in the order of arrival; not delivered.
    waiting: VecDeque<Piece>,
    waiting_bytes: usize,
    /// Delivered; the token of the front is `token`.
    flying: VecDeque<Option<Piece>>,
    token: u64,
    unsettled: usize,
    unsettled_bytes: usize,
}

impl Settlements {
    /// Holds nothing yet.
    pub(crate) fn new(window: Limit, sources: Vec<Source>) -> Self {
        Self {
            window,
            sources,
            arrivals: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            flying: VecDeque::new(),
            token: 0,
            unsettled: 0,
            unsettled_bytes: 0,
        }
    }

    pub(crate) fn source(&self, source: usize) -> Option<&Source> {
        self.sources.get(source)
    }

    /// How many are delivered and not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether one more arrival could be delivered now.
    pub(crate) fn wants(&self, limit: Limit) -> bool {
        if self.unsettled == 0 && self.waiting.is_empty() {
            return true;
        }
        let messages = limit.messages.min(self.window.messages.saturating_sub(self.unsettled));
        let bytes = limit.bytes.min(self.window.bytes.saturating_sub(self.unsettled_bytes));
        self.waiting.len() < messages && self.waiting_bytes < bytes
    }

    /// Takes what the client brings, unless it was acked before.
    pub(crate) fn arrive(&mut self, source: usize, offset: i64, bytes: Bytes) -> Arrival {
        let Some(from) = self.sources.get_mut(source) else { return Arrival::Again };
        let place = match from.arrive(offset) {
            Step::On(place) => place,
            Step::Back => return Arrival::Again,
            Step::Gap => return Arrival::Gap,
        };
        if from.skip.remove(&offset) {
            from.ack(place);
            return Arrival::Skipped;
        }
        self.arrivals += 1;
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(Piece { source, place, arrival: self.arrivals, bytes });
        Arrival::Waits
    }

    /// Delivers what limit and window allow, each with its token.
    pub(crate) fn deliver(&mut self, limit: Limit) -> Vec<(u64, Bytes)> {
        let mut brought = Vec::with_capacity(self.waiting.len().min(limit.messages));
        let mut size = 0;
        while let Some(next) = self.waiting.front() {
            let bytes = next.bytes.len();
            let fits = brought.is_empty() || (brought.len() < limit.messages && size + bytes <= limit.bytes);
            if !fits || !self.has_room(bytes) {
                break;
            }
            let Some(piece) = self.waiting.pop_front() else { break };
            size += bytes;
            self.waiting_bytes -= bytes;
            self.unsettled += 1;
            self.unsettled_bytes += bytes;
            brought.push((self.token + self.flying.len() as u64, piece.bytes.clone()));
            self.flying.push_back(Some(piece));
        }
        brought
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.unsettled == 0
            || (self.unsettled < self.window.messages && self.unsettled_bytes + bytes <= self.window.bytes)
    }

    /// Settles one delivery. `None` when it is not in flight; else the source of which
    /// there is more to commit now, if there is.
    pub(crate) fn settle(&mut self, token: u64, settlement: Settlement) -> Option<Option<usize>> {
        let at = usize::try_from(token.checked_sub(self.token)?).ok()?;
        let piece = self.flying.get_mut(at)?.take()?;
        while let Some(None) = self.flying.front() {
            self.flying.pop_front();
            self.token += 1;
        }
        self.unsettled -= 1;
        self.unsettled_bytes -= piece.bytes.len();
        match settlement {
            Settlement::Ack => {
                let moved = self.sources.get_mut(piece.source)?.ack(piece.place);
                Some(moved.then_some(piece.source))
            }
            Settlement::Release => {
                let at = self.waiting.partition_point(|other| other.arrival < piece.arrival);
                self.waiting_bytes += piece.bytes.len();
                self.waiting.insert(at, piece);
                Some(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const WINDOW: Limit = Limit { messages: 4, bytes: 100 };

    #[derive(Clone, Debug)]
    enum Move {
        Arrive { source: usize, gap: i64, size: usize },
        Deliver { messages: usize, bytes: usize },
        Settle { pick: usize, settlement: Settlement },
    }

    fn step() -> impl Strategy<Value = Move> {
        prop_oneof![
            (0..2_usize, 1..3_i64, 0..60_usize).prop_map(|(source, gap, size)| Move::Arrive {
                source,
                gap,
                size
            }),
            (1..6_usize, 1..200_usize).prop_map(|(messages, bytes)| Move::Deliver { messages, bytes }),
            (0..8_usize, any::<bool>()).prop_map(|(pick, ack)| {
                let settlement = if ack { Settlement::Ack } else { Settlement::Release };
                Move::Settle { pick, settlement }
            }),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: no watermark passes what is not acked, nothing is lost or flies
        /// twice, and the window holds.
        #[test]
        fn a_watermark_never_passes_what_is_not_acked(steps in prop::collection::vec(step(), 0..80)) {
            let mut held = Settlements::new(WINDOW, vec![Source::new(0, BTreeSet::new()), Source::new(100, [104, 107].into())]);
            let mut next = [0, 100];
            let mut left: [BTreeSet<i64>; 2] = Default::default();
            let mut flying: BTreeMap<u64, (usize, i64, usize)> = BTreeMap::new();
            for step in steps {
                match step {
                    Move::Arrive { source, gap, size } => {
                        let offset = next[source] + gap - 1;
                        next[source] = offset + 1;
                        let mut bytes = vec![source as u8];
                        bytes.extend(offset.to_be_bytes());
                        bytes.resize(9 + size, 0);
                        if gap > 1 {
                            prop_assert_eq!(held.arrive(source, offset, Bytes::new()), Arrival::Gap);
                        }
                        let known = source == 1 && [104, 107].contains(&offset);
                        let expected = if known { Arrival::Skipped } else { Arrival::Waits };
                        prop_assert_eq!(held.arrive(source, offset, bytes.into()), expected);
                        prop_assert_eq!(held.arrive(source, offset, Bytes::new()), Arrival::Again);
                        if !known {
                            left[source].insert(offset);
                        }
                    }
                    Move::Deliver { messages, bytes } => {
                        let brought = held.deliver(Limit { messages, bytes });
                        let size: usize = brought.iter().map(|(_, bytes)| bytes.len()).sum();
                        prop_assert!(brought.len() <= 1 || (brought.len() <= messages && size <= bytes));
                        for (token, bytes) in brought {
                            let offset = i64::from_be_bytes(bytes[1..9].try_into().unwrap());
                            let one = (usize::from(bytes[0]), offset, bytes.len());
                            prop_assert!(!flying.values().any(|other| other == &one), "it flies twice");
                            prop_assert!(flying.insert(token, one).is_none());
                        }
                        let size: usize = flying.values().map(|one| one.2).sum();
                        let fits = flying.len() <= WINDOW.messages && size <= WINDOW.bytes;
                        prop_assert!(flying.len() <= 1 || fits, "the window is passed");
                    }
                    Move::Settle { pick, settlement } => {
                        let Some(token) = flying.keys().nth(pick).copied() else { continue };
                        prop_assert!(held.settle(token, settlement).is_some());
                        prop_assert!(held.settle(token, settlement).is_none(), "settled twice");
                        let (source, offset, _) = flying.remove(&token).unwrap();
                        if settlement == Settlement::Ack {
                            left[source].remove(&offset);
                        }
                    }
                }
                for source in 0..2 {
                    let watermark = held.source(source).unwrap().watermark();
                    let expected = left[source].first().copied().unwrap_or(next[source]);
                    prop_assert_eq!(watermark, expected);
                    for acked in held.source(source).unwrap().ahead() {
                        prop_assert!(acked > watermark || acked >= next[source]);
                        prop_assert!(!left[source].contains(&acked), "{} is not acked", acked);
                    }
                }
                prop_assert_eq!(held.unsettled(), flying.len());
            }
        }
    }

    #[test]
    fn what_is_released_returns_to_its_place() {
        let mut held =
            Settlements::new(Limit { messages: 10, bytes: 1_000 }, vec![Source::new(7, BTreeSet::new())]);
        for offset in 7..10 {
            assert_eq!(held.arrive(0, offset, Bytes::from(vec![offset as u8])), Arrival::Waits);
        }
        let first = held.deliver(Limit { messages: 2, bytes: 100 });
        assert_eq!(held.settle(first[1].0, Settlement::Release), Some(None));
        assert_eq!(held.settle(first[0].0, Settlement::Release), Some(None));
        let again: Vec<u8> =
            held.deliver(Limit { messages: 9, bytes: 100 }).iter().map(|one| one.1[0]).collect();
        assert_eq!(again, [7, 8, 9]);
    }

    #[test]
    fn what_was_passed_by_is_asked_for_once_and_then_believed_to_be_gone() {
        let mut held = Settlements::new(WINDOW, vec![Source::new(0, BTreeSet::new())]);
        let mut arrive = |offset| held.arrive(0, offset, Bytes::new());
        // The client lost two: fetched again, they come.
        assert_eq!(arrive(2), Arrival::Gap);
        assert_eq!([arrive(0), arrive(1), arrive(2)], [Arrival::Waits; 3]);
        // Two that nobody ever sees.
        assert_eq!([arrive(5), arrive(5), arrive(6)], [Arrival::Gap, Arrival::Waits, Arrival::Waits]);
        assert_eq!(arrive(9), Arrival::Gap, "each gap is asked for");
    }
}
