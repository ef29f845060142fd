//! The text beside a committed offset: which declaration it stems from, and what is acked above it.
//!
//! Kafka commits one offset per partition. What was acked out of order stands beside it, so that it is not
//! delivered again either.

use std::{
    collections::BTreeSet,
    fmt,
    hash::{BuildHasher, RandomState},
    time::SystemTime,
};

/// Where a group stands in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) offset: i64,
    pub(crate) note: Note,
}

/// Brokers take 4,096 bytes; what is acked beyond what fits is delivered again, which harms nobody.
const DIGITS: usize = 3_800;

/// What is read and written there: `oms ORIGIN`, or `oms ORIGIN FIRST:BITS`, both in hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// Made when the group was declared; empty where somebody else has set the offset.
    pub(crate) origin: String,
    /// Acked, above the offset.
    pub(crate) ahead: BTreeSet<i64>,
}

impl Note {
    /// Reads a note; what is none of ours says nothing.
    pub(crate) fn read(text: &str) -> Self {
        let mut words = text.split(' ');
        let (Some("oms"), Some(origin)) = (words.next(), words.next()) else { return Self::default() };
        let ahead = words.next().and_then(read_bits).unwrap_or_default();
        Self { origin: origin.to_owned(), ahead }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "oms {}", self.origin)?;
        let Some(first) = self.ahead.first() else { return Ok(()) };
        write!(out, " {first:x}:")?;
        let mut digit = 0_u8;
        let mut at = 0;
        for offset in &self.ahead {
            let Ok(bit) = usize::try_from(offset - first) else { break };
            if bit / 4 >= DIGITS {
                break;
            }
            for _ in at..bit / 4 {
                write!(out, "{digit:x}")?;
                digit = 0;
            }
            at = bit / 4;
            digit |= 1 << (bit % 4);
        }
        write!(out, "{digit:x}")
    }
}

fn read_bits(text: &str) -> Option<BTreeSet<i64>> {
    let (first, bits) = text.split_once(':')?;
    let first = i64::from_str_radix(first, 16).ok().filter(|first| *first >= 0)?;
    let mut ahead = BTreeSet::new();
    for (digit, at) in bits.chars().zip(0_i64..) {
        let digit = digit.to_digit(16)?;
        let set = (0..4).filter(|bit| digit & (1 << bit) != 0);
        ahead.extend(set.filter_map(|bit| first.checked_add(at * 4 + bit)));
    }
    Some(ahead)
}

/// An origin that no other declaration has: it tells this server from a later one in its place.
pub(crate) fn origin() -> String {
    let (one, two) = (RandomState::new(), RandomState::new());
    let now = SystemTime::now();
    format!("{:016x}{:016x}", one.hash_one(now), two.hash_one(("two", now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(ahead in prop::collection::btree_set(0..9_000_i64, 0..50), first in 0..1_i64 << 50) {
            let ahead = ahead.into_iter().map(|offset| first + offset).collect();
            let note = Note { origin: "00ff".to_owned(), ahead };
            prop_assert_eq!(Note::read(&note.to_string()), note);
        }

        #[test]
        fn no_text_is_too_much_for_the_reader(text in "(oms )?[0-9a-f :-]{0,40}") {
            let note = Note::read(&text);
            prop_assert!(note.ahead.iter().all(|offset| *offset >= 0));
        }

        #[test]
        fn a_note_fits_and_claims_nothing_that_was_not_acked(ahead in prop::collection::btree_set(0..1_i64 << 40, 0..50)) {
            let note = Note { origin: "0".repeat(32), ahead };
            let text = note.to_string();
            prop_assert!(text.len() < 4_096);
            prop_assert!(Note::read(&text).ahead.is_subset(&note.ahead));
        }
    }
}
