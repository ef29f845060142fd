//! The book of deliveries: what was sent, to whom it is owed, and what became of it, as the store's commits say.

use super::summary::Summary;
use crate::mark::Mark;
use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    id::{MessageId, Name, StreamId},
    message::{GroupLane, Key, Message, Pack, PackId},
    store::{Consumed, Deadline, End, Found, LocalMessage, PUBLIC, WaitsFor},
};
use std::collections::{BTreeMap, BTreeSet};

/// What became of one message for one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Owed,
    /// Durable, and to be handled later.
    Parked,
    Handled,
    Buried,
}

impl Fate {
    /// Whether it is still to be handled.
    fn waits(self) -> bool {
        matches!(self, Fate::Owed | Fate::Parked)
    }
}

/// The messages of a pack, in order.
type Messages = Vec<(MessageId, Key)>;

/// A pack that was committed.
struct Sent {
    topic: Name,
    messages: Messages,
    hearers: BTreeMap<Name, Vec<Fate>>,
}

/// One successful call of a handler, which the next commit of its turn must account for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The message.
    pub(crate) message: MessageId,
    /// How many events it caused.
    pub(crate) events: usize,
}

/// What a turn found and must account for.
#[derive(Default)]
pub(crate) struct Reading {
    lane: Option<GroupLane>,
    now: Timestamp,
    hears: std::sync::Arc<BTreeMap<Name, BTreeSet<Name>>>,
    released: BTreeMap<u64, MessageId>,
    redriven: BTreeMap<u64, MessageId>,
}

impl Reading {
    /// Notes what a turn found.
    #[must_use]
    pub(crate) fn of(lane: &GroupLane, found: &Found) -> Self {
        let mut reading =
            Self { lane: Some(lane.clone()), now: found.now, hears: found.hears.clone(), ..Self::default() };
        for local in &found.local {
            match local {
                LocalMessage::Released { seq, message, .. } => {
                    reading.released.insert(*seq, message.envelope.id);
                }
                LocalMessage::Redriven { number, message, .. } => {
                    reading.redriven.insert(*number, message.envelope.id);
                }
                LocalMessage::Due { .. } => {}
            }
        }
        reading
    }
}

/// Everything sent, and everything that is wrong with what became of it.
#[derive(Default)]
pub(crate) struct Book {
    /// By the pack that it will be, and by its bytes: two turns may want to be the same one.
    encoded: BTreeMap<PackId, Vec<(Bytes, Messages)>>,
    sent: BTreeMap<PackId, Sent>,
    places: BTreeMap<MessageId, (PackId, usize)>,
    last: BTreeMap<(Name, GroupLane, Name, Key), (u64, usize)>,
    redriven: BTreeSet<MessageId>,
    calls: BTreeMap<(usize, u16), Vec<Call>>,
    owed: BTreeMap<(Name, Key), i64>,
    deadlines: BTreeMap<StreamId, (Deadline, Timestamp)>,
    waited: BTreeMap<(StreamId, u64), WaitsFor>,
    ended: BTreeMap<Name, Mark>,
    ends: BTreeMap<Name, Timestamp>,
    removed: BTreeSet<Name>,
    /// What is wrong, in words.
    pub(crate) wrong: Vec<String>,
}

impl Book {
    /// Notes which messages a pack will hold, if its turn commits. True when it held the same before.
    pub(crate) fn encode(&mut self, pack: &PackId, bytes: &Bytes, messages: &[Message]) -> bool {
        let ids = messages.iter().map(|one| (one.envelope.id, one.envelope.key.clone())).collect();
        let tries = self.encoded.entry(pack.clone()).or_default();
        let same = tries.last().is_some_and(|(_, before)| *before == ids);
        tries.push((bytes.clone(), ids));
        same
    }

    /// Begins a turn: what its task has called for this lane before belongs to one that was given up.
    pub(crate) fn begin(&mut self, task: usize, lane: u16) {
        self.calls.remove(&(task, lane));
    }

    /// Notes a successful call of a handler.
    pub(crate) fn call(&mut self, task: usize, lane: u16, call: Call) {
        self.calls.entry((task, lane)).or_default().push(call);
    }

    /// The orders that have ended or need attention, and how.
    #[must_use]
    pub(crate) fn ended(&self) -> &BTreeMap<Name, Mark> {
        &self.ended
    }

    /// When each order ended.
    #[must_use]
    pub(crate) fn ends(&self) -> &BTreeMap<Name, Timestamp> {
        &self.ends
    }

    /// Notes what a deadline waits for, if the store is not told.
    pub(crate) fn waits(&mut self, stream: &StreamId, set_at: u64, waits: WaitsFor) {
        self.waited.insert((stream.clone(), set_at), waits);
    }

    /// Whether a group would lose something of a pack, if nobody brought it again.
    #[must_use]
    pub(crate) fn is_owed(&self, group: &Name, pack: &PackId) -> bool {
        let fates = self.sent.get(pack).and_then(|sent| sent.hearers.get(group));
        !self.is_removed(group) && fates.is_some_and(|fates| fates.contains(&Fate::Owed))
    }

    /// The groups that hear a pack.
    pub(crate) fn hearers(&self, pack: &PackId) -> impl Iterator<Item = &Name> {
        self.sent.get(pack).into_iter().flat_map(|sent| sent.hearers.keys())
    }

    /// Notes that a group is being removed: nothing more is promised to it.
    pub(crate) fn remove(&mut self, group: &str) {
        self.removed.insert(Name::from(group));
    }

    /// Whether a group was removed.
    #[must_use]
    pub(crate) fn is_removed(&self, group: &str) -> bool {
        self.removed.contains(group)
    }

    /// Accounts for a commit that happened.
    pub(crate) fn commit(&mut self, task: usize, reading: &Reading, writes: &Summary, now: Timestamp) {
        let Some(lane) = &reading.lane else { return };
        for (stream, deadline) in &writes.deadlines {
            self.deadlines.insert(stream.clone(), (deadline.clone(), reading.now));
        }
        let calls = self.calls.remove(&(task, lane.lane)).unwrap_or_default();
        for pack in &writes.packs {
            self.send(pack, reading);
        }
        for (order, mark) in &writes.ended {
            self.ended.insert(order.clone(), *mark);
            self.ends.insert(order.clone(), now);
        }
        if &*lane.group == "place" {
            return;
        }
        let mut taken = BTreeSet::new();
        for consumed in &writes.consumed {
            self.consume(lane, reading, consumed, &mut taken);
        }
        self.hold(lane, &calls, &taken);
        let caused: usize = calls.iter().map(|call| call.events).sum();
        if caused != writes.events {
            self.wrong.push(format!(
                "{lane} committed {} events, and its handler had caused {caused}: a message and what it causes are one commit",
                writes.events
            ));
        }
    }

    /// What was taken as handled was handled, and what was handled was taken.
    fn hold(&mut self, lane: &GroupLane, calls: &[Call], taken: &BTreeSet<MessageId>) {
        for message in taken.iter().filter(|taken| !calls.iter().any(|call| call.message == **taken)) {
            self.wrong.push(format!("{lane} took {message} as handled, and its handler never handled it"));
        }
        for call in calls {
            if self.places.contains_key(&call.message) && !taken.contains(&call.message) {
                self.wrong.push(format!("{lane} handled {}, and still owes it to itself", call.message));
            }
        }
    }

    fn send(&mut self, pack: &Pack, reading: &Reading) {
        let mut tries = self.encoded.remove(&pack.id).unwrap_or_default().into_iter();
        let messages =
            tries.find(|(bytes, _)| *bytes == pack.bytes).map(|(_, messages)| messages).unwrap_or_default();
        for (index, (message, _)) in messages.iter().enumerate() {
            if let Some((other, _)) = self.places.insert(*message, (pack.id.clone(), index)) {
                self.wrong.push(format!("{message} was sent in {other} and again in {}", pack.id));
            }
        }
        let hears = |(group, topics): (&Name, &BTreeSet<Name>)| {
            topics.contains(&pack.topic).then(|| (group.clone(), vec![Fate::Owed; messages.len()]))
        };
        let hearers: BTreeMap<Name, Vec<Fate>> = reading.hears.iter().filter_map(hears).collect();
        for group in hearers.keys().filter(|group| &***group != PUBLIC) {
            for (_, key) in &messages {
                *self.owed.entry((group.clone(), key.clone())).or_default() += 1;
            }
        }
        self.sent.insert(pack.id.clone(), Sent { topic: pack.topic.clone(), messages, hearers });
    }

    fn consume(
        &mut self,
        lane: &GroupLane,
        reading: &Reading,
        consumed: &Consumed,
        taken: &mut BTreeSet<MessageId>,
    ) {
        let (messages, end): (Vec<MessageId>, End) = match consumed {
            Consumed::Owed { pack, indexes, end } => {
                let Some(sent) = self.sent.get(pack) else { return };
                let message = |index: &u16| sent.messages.get(usize::from(*index)).map(|(id, _)| *id);
                (indexes.iter().filter_map(message).collect(), *end)
            }
            Consumed::Released { seq, end } => {
                (reading.released.get(seq).copied().into_iter().collect(), *end)
            }
            Consumed::Redriven { number, end } => {
                let message = reading.redriven.get(number).copied();
                self.redriven.extend(message);
                (message.into_iter().collect(), *end)
            }
            Consumed::Due { .. } | Consumed::Answered { .. } => return,
        };
        for message in messages {
            match end {
                End::Parked => self.put_aside(lane, message),
                End::Buried => self.settle(lane, message, Fate::Buried),
                End::Handled => {
                    taken.insert(message);
                    self.settle(lane, message, Fate::Handled);
                }
            }
        }
    }

    fn put_aside(&mut self, lane: &GroupLane, message: MessageId) {
        let Some((pack, index)) = self.places.get(&message) else { return };
        let fates = self.sent.get_mut(pack).and_then(|sent| sent.hearers.get_mut(&lane.group));
        if let Some(fate) = fates.and_then(|fates| fates.get_mut(*index)).filter(|fate| **fate == Fate::Owed)
        {
            *fate = Fate::Parked;
        }
    }

    fn settle(&mut self, lane: &GroupLane, message: MessageId, fate: Fate) {
        let Some((pack, index)) = self.places.get(&message).cloned() else { return };
        let Some(sent) = self.sent.get_mut(&pack) else { return };
        let (topic, key) = (sent.topic.clone(), sent.messages.get(index).map(|(_, key)| key.clone()));
        let Some(place) = sent.hearers.get_mut(&lane.group).and_then(|fates| fates.get_mut(index)) else {
            self.wrong.push(format!("{lane} handled {message}, which nobody owed it"));
            return;
        };
        if place.waits()
            && let Some(key) = &key
            && let Some(owed) = self.owed.get_mut(&(lane.group.clone(), key.clone()))
        {
            *owed -= 1;
        }
        let late = self.redriven.contains(&message);
        if *place == Fate::Handled || (*place == Fate::Buried && !late) {
            self.wrong.push(format!("{lane} handled {message} of {topic} twice"));
        }
        *place = fate;
        let Some(key) = key.filter(|_| fate == Fate::Handled && !late) else { return };
        let row = (lane.group.clone(), pack.sender.clone(), topic, key);
        let here = (pack.position, index);
        let before = self.last.get(&row).copied();
        if before.is_some_and(|before| before > here) {
            let (_, _, topic, key) = &row;
            self.wrong.push(format!(
                "{lane} handled {message} of {topic} for {} after a later one of the same sender",
                key.text()
            ));
        }
        self.last.insert(row, here);
    }

    /// A deadline fires only once what it waits for was heard, and nothing of its key is owed to its own group (rule 3).
    /// Says whether it had been put off.
    pub(crate) fn fire(&mut self, lane: &GroupLane, stream: &StreamId, now: Timestamp) -> bool {
        let Some((deadline, set)) = self.deadlines.get(stream).cloned() else { return false };
        let meant =
            deadline.waits_for.as_ref().or_else(|| self.waited.get(&(stream.clone(), deadline.set_at)));
        if let Some(waits) = meant {
            let fates = self.sent.get(&waits.pack).and_then(|sent| sent.hearers.get(&waits.group));
            if fates.and_then(|fates| fates.get(usize::from(waits.index))).is_some_and(|fate| fate.waits()) {
                let (group, pack) = (&waits.group, &waits.pack);
                self.wrong.push(format!("the deadline of {stream} ran while {group} was owed {pack}"));
            }
        }
        let key = Key::new(deadline.key.clone());
        if self.owed.get(&(lane.group.clone(), key)).is_some_and(|owed| *owed > 0) {
            self.wrong
                .push(format!("the deadline of {stream} ran while {lane} was owed something of its key"));
        }
        now.since(set) > deadline.delay.mul_f32(1.5)
    }

    /// What every living group was owed and never got.
    #[must_use]
    pub(crate) fn unheard(&self, outside: &BTreeSet<PackId>, outside_counts: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for (pack, sent) in &self.sent {
            for (group, fates) in sent.hearers.iter().filter(|(group, _)| !self.removed.contains(*group)) {
                if &**group == PUBLIC {
                    if outside_counts && !outside.contains(pack) {
                        wrong.push(format!("hearers outside missed {pack} of {}", sent.topic));
                    }
                    continue;
                }
                let owed = fates.iter().zip(&sent.messages).filter(|(fate, _)| fate.waits());
                wrong.extend(owed.map(|(_, (message, _))| {
                    format!("{group} never handled {message} of {} in {pack}", sent.topic)
                }));
            }
        }
        wrong
    }
}
