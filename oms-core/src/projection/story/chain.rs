//! The order of a story: by time, and within a moment each event after the one that caused it.

use crate::{
    id::{MessageId, Name},
    store::Recorded,
};
use std::collections::{BTreeMap, BTreeSet};

/// More messages than one turn of one order sends for one cause.
const MOST_SENT: usize = 16;

/// Sorts what was recorded, and finds for each event the place of the one whose turn sent its cause: ids are minted, so
/// whatever a turn may have sent can be named again (rule 5).
pub(in crate::projection) fn in_order(recorded: Vec<Recorded>) -> Vec<(Recorded, Option<usize>)> {
    let sent = sent_by(&recorded);
    let order = causes_first(&recorded, &sent);
    let mut unsorted: Vec<Option<Recorded>> = recorded.into_iter().map(Some).collect();
    let recorded: Vec<Recorded> = order.into_iter().filter_map(|index| unsorted[index].take()).collect();
    let mut last_of = BTreeMap::new();
    for (place, each) in recorded.iter().enumerate() {
        last_of.insert((Name::clone(&each.lane.group), each.cause), place);
    }
    let because = |each: &Recorded| sent.get(&each.cause).and_then(|turn| last_of.get(turn)).copied();
    let places: Vec<Option<usize>> = recorded.iter().map(because).collect();
    recorded.into_iter().zip(places).collect()
}

/// The places of the events in the order of the story: of those that may come next, the first by time; within a moment a
/// notice comes last, since nothing says which event it followed.
fn causes_first(recorded: &[Recorded], sent: &Sent) -> Vec<usize> {
    let depths = depths(recorded, sent);
    let rank = |index: usize| {
        let each = &recorded[index];
        let depth = depths.get(&each.cause).copied().unwrap_or(0);
        let notice = &*each.stream.kind == "notification";
        (each.time, notice, depth, each.stream.clone(), each.version, index)
    };
    let mut waits_for = before(recorded, sent);
    let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, earlier) in waits_for.iter().enumerate() {
        earlier.iter().for_each(|one| followers.entry(*one).or_default().push(index));
    }
    let mut rest: BTreeSet<_> = (0..recorded.len()).map(rank).collect();
    let free = rest.iter().filter(|rank| waits_for[rank.5].is_empty());
    let mut ready: BTreeSet<_> = free.cloned().collect();
    let mut order = Vec::with_capacity(recorded.len());
    // Causes make no circle; if the records are damaged, what is left goes by its rank alone.
    while let Some(next) = ready.pop_first().or_else(|| rest.first().cloned()) {
        rest.remove(&next);
        order.push(next.5);
        for follower in followers.remove(&next.5).unwrap_or_default() {
            waits_for[follower].remove(&next.5);
            let rank = rank(follower);
            if waits_for[follower].is_empty() && rest.contains(&rank) {
                ready.insert(rank);
            }
        }
    }
    order
}

/// For each event those of its moment that must stand before it: its stream's earlier one, and the turn that sent its cause.
fn before(recorded: &[Recorded], sent: &Sent) -> Vec<BTreeSet<usize>> {
    let (mut turns, mut versions) = (BTreeMap::<_, Vec<usize>>::new(), BTreeMap::new());
    for (index, each) in recorded.iter().enumerate() {
        turns.entry((Name::clone(&each.lane.group), each.cause)).or_default().push(index);
        versions.insert((each.stream.clone(), each.version), index);
    }
    let earlier = |(index, each): (usize, &Recorded)| {
        let turn = sent.get(&each.cause).and_then(|turn| turns.get(turn));
        let version = versions.get(&(each.stream.clone(), each.version.saturating_sub(1)));
        let all = turn.into_iter().flatten().chain(version).copied();
        all.filter(|one| *one != index && recorded[*one].time == each.time).collect()
    };
    recorded.iter().enumerate().map(earlier).collect()
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
