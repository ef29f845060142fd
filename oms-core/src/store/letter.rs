//! Dead letters: messages that were given up, how they are picked, and what a person may decide about them.

use crate::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Message, PackId},
};
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Where a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadLetterState {
    /// Nobody has decided about it.
    Buried,
    /// Somebody asked for it to be handled again.
    Redriven,
    /// It was redriven and handled.
    Handled,
    /// An edited copy was sent in its place.
    Replaced,
}

impl DeadLetterState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Buried, Self::Redriven, Self::Handled, Self::Replaced];

    /// Its name, for people and scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Buried => "buried",
            Self::Redriven => "redriven",
            Self::Handled => "handled",
            Self::Replaced => "replaced",
        }
    }
}

/// A message that was given up, kept with its original bytes for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number, from 1.
    pub number: u64,
    /// The lane of the group that failed.
    pub lane: GroupLane,
    /// The message.
    pub message: Message,
    /// Where it was owed from; `None` for local messages.
    pub origin: Option<(PackId, u16)>,
    /// The last error.
    pub error: Name,
    /// How often it was tried, over all redrives.
    pub attempts: u32,
    /// When it was buried last.
    pub time: Timestamp,
    /// Where it stands.
    pub state: DeadLetterState,
}

impl DeadLetter {
    /// What its error has in common with those of other letters: every word with a digit in it is written `#`.
    #[must_use]
    pub fn cause(&self) -> String {
        common(&self.error)
    }
}

fn common(error: &str) -> String {
    let mut text = String::with_capacity(error.len());
    for part in error.split_inclusive(|one: char| !one.is_alphanumeric()) {
        let word = part.trim_end_matches(|one: char| !one.is_alphanumeric());
        let numbered = word.contains(|one: char| one.is_ascii_digit());
        text.push_str(if numbered { "#" } else { word });
        text.push_str(&part[word.len()..]);
    }
    text
}

/// Which dead letters are meant: those that fit all that is said here. Nothing said means all of them.
///
/// ```
/// use oms_core::store::{DeadLetterState, Pick};
/// let pick = Pick { group: Some("payment".into()), state: Some(DeadLetterState::Buried), ..Pick::default() };
/// assert!(pick.numbers.is_none(), "whatever their numbers are");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// One of these numbers.
    pub numbers: Option<BTreeSet<u64>>,
    /// Of this group.
    pub group: Option<Name>,
    /// Of this kind of message.
    pub kind: Option<Name>,
    /// Of this key: an order, or a SKU.
    pub key: Option<Name>,
    /// With this in its error, or in what its error has in common with others ([`DeadLetter::cause`]).
    pub error: Option<String>,
    /// In this state.
    pub state: Option<DeadLetterState>,
}

impl Pick {
    /// Picks by number alone.
    #[must_use]
    pub fn numbers(numbers: impl IntoIterator<Item = u64>) -> Self {
        Self { numbers: Some(numbers.into_iter().collect()), ..Self::default() }
    }

    /// Whether a letter is meant; every store decides by this.
    #[must_use]
    pub fn fits(&self, letter: &DeadLetter) -> bool {
        let envelope = &letter.message.envelope;
        let of_key = |key: &Name| envelope.key.text() == key || envelope.correlation == *key;
        let says = |error: &String| letter.error.contains(error) || letter.cause().contains(error);
        self.numbers.as_ref().is_none_or(|numbers| numbers.contains(&letter.number))
            && self.group.as_ref().is_none_or(|group| letter.lane.group == *group)
            && self.kind.as_ref().is_none_or(|kind| envelope.kind == *kind)
            && self.key.as_ref().is_none_or(of_key)
            && self.state.is_none_or(|state| letter.state == state)
            && self.error.as_ref().is_none_or(says)
    }

    /// The numbers between which all that are meant lie; an empty range when none can be.
    #[must_use]
    pub fn span(&self) -> RangeInclusive<u64> {
        match &self.numbers {
            None => 0..=u64::MAX,
            Some(numbers) => {
                numbers.first().map_or(1, |first| *first)..=numbers.last().map_or(0, |last| *last)
            }
        }
    }
}

/// Where a page of dead letters begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// Numbers greater than this one, rising.
    After(u64),
    /// Numbers smaller than this one, falling.
    Before(u64),
}

impl Seek {
    /// The oldest first.
    pub const OLDEST: Self = Self::After(0);
    /// The newest first.
    pub const NEWEST: Self = Self::Before(u64::MAX);
}

/// What a person decided about a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is handled again, by the group that failed.
    Redrive,
    /// A copy, parked by the same commit with the letter's origin, stands for it from now on: what was owed there is owed until
    /// the copy is handled.
    Replace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_only_in_numbers_and_ids_have_one_cause() {
        let cause = "order # has # lines: the SKU 'A-#' is unknown";
        for error in [
            "order o1 has 3 lines: the SKU 'A-7' is unknown",
            "order 00ff9 has 12 lines: the SKU 'A-77' is unknown",
        ] {
            assert_eq!(common(error), cause);
        }
        assert_eq!(common("told to: é, no; 7"), "told to: é, no; #");
    }

    #[test]
    fn a_pick_of_no_numbers_spans_nothing() {
        assert!(Pick::numbers([]).span().is_empty());
        assert_eq!(Pick::numbers([7, 3]).span(), 3..=7);
        assert_eq!(Pick::default().span(), 0..=u64::MAX);
    }
}
