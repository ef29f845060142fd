//! The order of a story: by time, and within a moment each event after the one that caused it.

use crate::{
    id::{MessageId, Name},
    store::Recorded,
};
use std::collections::BTreeMap;

/// More messages than one turn of one order sends for one cause.
const MOST_SENT: usize = 16;

/// Sorts what was recorded, and finds for each event the place of the one whose turn sent its cause: ids are minted, so
/// whatever a turn may have sent can be named again (rule 5).
pub(super) fn in_order(recorded: Vec<Recorded>) -> Vec<(Recorded, Option<usize>)> {
    let sent = sent_by(&recorded);
    let depths = depths(&recorded, &sent);
    let depth = |each: &Recorded| depths.get(&each.cause).copied().unwrap_or(0);
    let mut recorded = recorded;
    recorded.sort_by(|left, right| {
        let key = |each: &Recorded| (each.time, depth(each), each.stream.clone(), each.version);
        key(left).cmp(&key(right))
    });
    let mut last_of = BTreeMap::new();
    for (place, each) in recorded.iter().enumerate() {
        last_of.insert((Name::clone(&each.lane.group), each.cause), place);
    }
    let because = |each: &Recorded| sent.get(&each.cause).and_then(|turn| last_of.get(turn)).copied();
    let places: Vec<Option<usize>> = recorded.iter().map(because).collect();
    recorded.into_iter().zip(places).collect()
}

type Sent = BTreeMap<MessageId, (Name, MessageId)>;

/// Whatever the turns behind these events may have sent, with the group and the cause of the turn.
fn sent_by(recorded: &[Recorded]) -> Sent {
    let mut sent = BTreeMap::new();
    for each in recorded {
        let group = &each.lane.group;
        for index in 0..MOST_SENT {
            let message = MessageId::caused(group, each.cause, index);
            sent.insert(message, (Name::clone(group), each.cause));
        }
    }
    sent
}

/// How many messages lie between a cause and what came from outside. A chain is never longer than the story.
fn depths(recorded: &[Recorded], sent: &Sent) -> BTreeMap<MessageId, usize> {
    let depth = |cause: MessageId| {
        let parents = std::iter::successors(sent.get(&cause), |(_, parent)| sent.get(parent));
        parents.take(recorded.len()).count()
    };
    recorded.iter().map(|each| (each.cause, depth(each.cause))).collect()
}
