//! Many dead letters by group, kind and what their errors have in common: a thousand of one cause are one line.

use crate::{
    clock::Timestamp,
    id::Name,
    store::{DeadLetter, DeadLetterState, Pick, Seek, Store, StoreError},
};
use std::collections::BTreeMap;

/// How many are read at a time; each may carry a whole pack.
const PAGE: usize = 100;

/// Letters that have group, kind and cause in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterCause {
    /// The group that failed.
    pub group: Name,
    /// The wire name of the messages.
    pub kind: Name,
    /// What their errors have in common, see [`DeadLetter::cause`].
    pub cause: String,
    /// How many there are.
    pub letters: u64,
    /// How many of them stand where; a state that none is in is left out.
    pub states: BTreeMap<DeadLetterState, u64>,
    /// The first of them, to look at.
    pub first: u64,
    /// When the first of them was buried last.
    pub oldest: Timestamp,
    /// When one of them was buried last.
    pub newest: Timestamp,
}

/// Counts the dead letters that `pick` means by what they have in common; the most frequent first.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn letter_causes(store: &dyn Store, pick: &Pick) -> Result<Vec<LetterCause>, StoreError> {
    let mut causes: BTreeMap<(Name, Name, String), LetterCause> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = store.dead_letters(pick, Seek::After(after), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        page.iter().for_each(|letter| add(&mut causes, letter));
    }
    let mut causes: Vec<LetterCause> = causes.into_values().collect();
    causes.sort_by(|one, other| other.letters.cmp(&one.letters).then(one.first.cmp(&other.first)));
    Ok(causes)
}

fn add(causes: &mut BTreeMap<(Name, Name, String), LetterCause>, letter: &DeadLetter) {
    let (group, kind, cause) =
        (Name::clone(&letter.lane.group), Name::clone(&letter.message.envelope.kind), letter.cause());
    let new = LetterCause {
        group: Name::clone(&group),
        kind: Name::clone(&kind),
        cause: cause.clone(),
        letters: 0,
        states: BTreeMap::new(),
        first: letter.number,
        oldest: letter.time,
        newest: letter.time,
    };
    let known = causes.entry((group, kind, cause)).or_insert(new);
    known.letters += 1;
    *known.states.entry(letter.state).or_default() += 1;
    known.oldest = known.oldest.min(letter.time);
    known.newest = known.newest.max(letter.time);
}
