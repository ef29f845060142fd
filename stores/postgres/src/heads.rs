//! The newest rows of streams that this process saw, so that a commit need not read them again: where a stream that never
//! changes part of its state keeps it, and the hash that the next row is chained to.

use oms_core::id::{Digest, StreamId};
use std::collections::{BTreeMap, VecDeque};

/// How many are remembered: about 200 bytes each.
const MOST: usize = 50_000;

/// The newest row of a stream at a version, which never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u64,
    /// The version before the row that has the fixed part.
    pub(crate) fixed_at: Option<i64>,
    pub(crate) hash: u128,
}

/// What is remembered; the oldest is forgotten first.
#[derive(Default)]
pub(crate) struct Heads {
    all: BTreeMap<StreamId, Head>,
    order: VecDeque<StreamId>,
}

impl Heads {
    /// The head of a stream, if it is known at this version.
    pub(crate) fn at(&self, stream: &StreamId, version: u64) -> Option<Head> {
        if version == 0 {
            return Some(Head::default());
        }
        self.all.get(stream).filter(|head| head.version == version).copied()
    }

    pub(crate) fn learn(&mut self, stream: &StreamId, head: Head) {
        if let Some(known) = self.all.get_mut(stream) {
            if known.version < head.version {
                *known = head;
            }
            return;
        }
        if self.all.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        self.order.push_back(stream.clone());
        self.all.insert(stream.clone(), head);
    }
}

/// The hash of a row of a stream: over the row before it, where the row stands, and all that it says. A row that is edited,
/// removed or moved breaks the chain.
pub(crate) fn chain(before: u128, id: &StreamId, row: &Chained<'_>) -> u128 {
    let digest = Digest::new("event").number(before).text(&id.kind).text(&id.id);
    let digest = digest.number(u128::from(row.after)).number(u128::from(row.version));
    let digest = digest.number(u128::from(row.time.cast_unsigned())).bytes(row.events);
    let digest = digest.bytes(row.state);
    let digest = digest.text(row.deadline.unwrap_or_default()).number(u128::from(row.schema));
    digest.bytes(row.fixed.unwrap_or_default()).finish()
}

/// What a row says.
pub(crate) struct Chained<'a> {
    pub(crate) after: u64,
    pub(crate) version: u64,
    pub(crate) schema: u16,
    pub(crate) time: i64,
    pub(crate) events: &'a [u8],
    pub(crate) state: &'a [u8],
    pub(crate) deadline: Option<&'a str>,
    pub(crate) fixed: Option<&'a [u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_known_at_its_version_only_and_the_oldest_is_forgotten() {
        let mut heads = Heads::default();
        let stream = |number: usize| StreamId::keyed("order", &number.to_string());
        let head = |version| Head { version, fixed_at: None, hash: 7 };
        heads.learn(&stream(0), head(2));
        heads.learn(&stream(0), head(1));
        assert_eq!(heads.at(&stream(0), 2), Some(head(2)));
        assert_eq!((heads.at(&stream(0), 1), heads.at(&stream(0), 0)), (None, Some(Head::default())));
        (1..=MOST).for_each(|number| heads.learn(&stream(number), head(1)));
        assert_eq!(heads.at(&stream(0), 2), None);
        assert_eq!(heads.at(&stream(MOST), 1), Some(head(1)));
    }

    #[test]
    fn every_part_of_a_row_is_in_its_hash() {
        let id = StreamId::keyed("order", "a");
        let row = || Chained {
            after: 0,
            version: 1,
            schema: 1,
            time: 5,
            events: b"e",
            state: b"s",
            deadline: None,
            fixed: None,
        };
        let plain = chain(1, &id, &row());
        let changed = [
            chain(2, &id, &row()),
            chain(1, &StreamId::keyed("order", "b"), &row()),
            chain(1, &id, &Chained { after: 1, ..row() }),
            chain(1, &id, &Chained { version: 2, ..row() }),
            chain(1, &id, &Chained { schema: 2, ..row() }),
            chain(1, &id, &Chained { time: 6, ..row() }),
            chain(1, &id, &Chained { events: b"f", ..row() }),
            chain(1, &id, &Chained { state: b"t", ..row() }),
            chain(1, &id, &Chained { deadline: Some("d"), ..row() }),
            chain(1, &id, &Chained { fixed: Some(b"f"), ..row() }),
        ];
        assert!(changed.iter().all(|hash| *hash != plain));
    }
}
