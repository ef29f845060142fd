//! From what a turn wants to write to the rows that change: a pure function of that and of the rows that are there.

use super::changes::{Again, Changes, DeadRow, EventRow, Hold, Marked, PackRow, ParkedRow, WishRow};
use crate::{
    alarm::{Alarm, Follow, firing, lane_of},
    book::Book,
    heads::{Chained, Head, chain},
    letters::{Aside, BURIED as STILL, HANDLED, REDRIVEN, REDRIVEN_PARKED, REPLACED},
    rows::{digest, int, micros, pack_row},
};
use oms_core::{
    gateway::EffectKey,
    id::{MessageId, StreamId},
    message::{GroupLane, Message, Pack, PackId},
    store::{
        Buried, Consumed, End, PUBLIC, Parked, StoreError, Then, Verdict, Write, Writes,
        marks::{BURIED, LEFT, Marks, PARKED},
        wire::{pack_events, pack_message, unpack_message},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a turn knows of itself.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) lane: GroupLane,
    pub(crate) id: i32,
    pub(crate) version: i64,
    pub(crate) position: u64,
    /// That of the hearers.
    pub(crate) revision: i64,
    /// The epoch of the lane's lease when it was read.
    pub(crate) epoch: i64,
    /// Whether it must still be that.
    pub(crate) fenced: bool,
    pub(crate) now: i64,
    pub(crate) book: Arc<Book>,
}

/// The rows that are there, as far as the writes may touch them.
#[derive(Default)]
pub(crate) struct There {
    pub(crate) owed: BTreeMap<i64, Marks>,
    pub(crate) parked: BTreeMap<i64, Aside>,
    pub(crate) dead: BTreeMap<i64, Aside>,
    pub(crate) alarms: BTreeMap<StreamId, Alarm>,
    pub(crate) effects: BTreeSet<EffectKey>,
    pub(crate) heads: BTreeMap<StreamId, Head>,
}

/// The owed place that a message stayed tied to, and the dead letter that it is.
type Origin = (Option<(i64, u16)>, Option<i64>);

/// What is planned.
pub(crate) struct Plan {
    pub(crate) changes: Changes,
    /// The newest rows that streams then have.
    pub(crate) heads: Vec<(StreamId, Head)>,
    read: Read,
    there: There,
    touched: BTreeSet<i64>,
    /// Where messages that were released or redriven came from, for those that are put aside again.
    origins: BTreeMap<MessageId, Origin>,
}

/// Plans everything, or says why nothing may be written.
pub(crate) fn plan(
    read: Read,
    there: There,
    writes: &Writes,
    untold: impl Fn(&EffectKey) -> bool,
) -> Result<Plan, StoreError> {
    writes.sound(&read.lane, read.position)?;
    if !writes.is_once() {
        return Err(StoreError::Conflict);
    }
    let (touched, origins) = Default::default();
    let mut plan = Plan { changes: Changes::default(), heads: Vec::new(), read, there, touched, origins };
    writes.consumed.iter().try_for_each(|one| plan.consume(one, writes))?;
    for (part, write) in (0..).zip(&writes.streams) {
        plan.append(part, write, writes)?;
    }
    if !writes.withdrawn.iter().all(untold) {
        return Err(StoreError::Conflict);
    }
    plan.changes.ended.extend(writes.withdrawn.iter().cloned());
    plan.changes.wishes.extend(writes.effects.iter().map(|effect| WishRow {
        key: effect.key.clone(),
        lane: plan.read.id,
        gateway: effect.gateway.clone(),
        stream: effect.stream.clone(),
        cause: effect.cause.0,
        request: effect.request.to_vec(),
    }));
    writes.packs.iter().for_each(|pack| plan.send(pack));
    writes.parked.iter().for_each(|one| plan.park(one));
    writes.buried.iter().for_each(|one| plan.bury(one));
    writes.judged.iter().try_for_each(|(number, verdict)| plan.judge(*number, *verdict))?;
    plan.finish(writes);
    Ok(plan)
}

impl Plan {
    fn consume(&mut self, one: &Consumed, writes: &Writes) -> Result<(), StoreError> {
        match one {
            Consumed::Owed { pack, indexes, end } => {
                let sender = self.read.book.ids.get(&pack.sender).ok_or(StoreError::Conflict)?;
                self.settle(pack_row(*sender, pack.position), indexes, LEFT, *end)
            }
            Consumed::Due { stream, set_at, firing: number } => {
                let ours = |alarm: &&Alarm| alarm.hearer == self.read.id;
                let next = self.there.alarms.get(stream).filter(ours).and_then(firing);
                if next != Some((*set_at, *number)) {
                    return Err(StoreError::Conflict);
                }
                if !writes.alarms.contains(stream) {
                    self.changes.silenced.push(stream.clone());
                }
                Ok(())
            }
            Consumed::Released { seq, end } => self.released(int(*seq), *end),
            Consumed::Redriven { number, end } => self.redriven(int(*number), *end),
            Consumed::Answered { effect, then } => self.answered(effect, *then),
        }
    }

    fn settle(&mut self, pack: i64, places: &[u16], from: u8, end: End) -> Result<(), StoreError> {
        let marks = self.there.owed.get_mut(&pack).ok_or(StoreError::Conflict)?;
        self.touched.insert(pack);
        marks.end(places, from, end)
    }

    fn released(&mut self, seq: i64, end: End) -> Result<(), StoreError> {
        let aside = self.there.parked.get(&seq).cloned().ok_or(StoreError::Conflict)?;
        if end == End::Parked {
            // Its row is changed with the message's new error, and stays where it is.
            return Ok(());
        }
        self.changes.released.push(seq);
        if let (Some(letter), End::Handled) = (aside.letter, end) {
            self.changes.states.push((letter, HANDLED));
        }
        self.came_from(&aside, PARKED, end)
    }

    fn redriven(&mut self, number: i64, end: End) -> Result<(), StoreError> {
        let aside = self.there.dead.get(&number).filter(|aside| aside.state == REDRIVEN);
        let aside = aside.cloned().ok_or(StoreError::Conflict)?;
        match end {
            End::Handled => self.changes.states.push((number, HANDLED)),
            // The parked message stands for it until it is released.
            End::Parked => self.changes.states.push((number, REDRIVEN_PARKED)),
            // Opened again with the message's new error.
            End::Buried => {}
        }
        self.came_from(&aside, BURIED, end)
    }

    /// Settles the owed place that a message stayed tied to, and remembers it for where the message goes.
    fn came_from(&mut self, aside: &Aside, mark: u8, end: End) -> Result<(), StoreError> {
        let id = unpack_message(&aside.message)?.envelope.id;
        self.origins.insert(id, (aside.origin, aside.letter));
        let Some((pack, place)) = aside.origin else { return Ok(()) };
        let is_tied = self.there.owed.get(&pack).is_some_and(|marks| marks.of(place) == mark);
        if is_tied { self.settle(pack, &[place], mark, end) } else { Ok(()) }
    }

    /// Whatever comes after an answer, its wish must still stand.
    fn answered(&mut self, key: &EffectKey, then: Then) -> Result<(), StoreError> {
        if !self.there.effects.contains(key) {
            return Err(StoreError::Conflict);
        }
        match then {
            Then::Gone => self.changes.ended.push(key.clone()),
            Then::Kept => {}
            Then::LetGo { again, heard } => self.changes.let_go.push((key.clone(), micros(again), heard.0)),
        }
        Ok(())
    }

    fn append(&mut self, part: i32, write: &Write, writes: &Writes) -> Result<(), StoreError> {
        let (id, next) = (&write.stream, &write.next);
        let head = self.there.heads.get(id).copied().unwrap_or_default();
        if head.version != write.expected {
            return Err(StoreError::Conflict);
        }
        let deadline = next.deadline.as_ref().map(serde_json::to_string).transpose();
        let deadline = deadline.map_err(StoreError::refused)?;
        let fixed = next.fixed.as_deref().filter(|_| write.fixed_is_new);
        let fixed_at = if fixed.is_some() { Some(int(write.expected)) } else { head.fixed_at };
        let (events, time) = (pack_events(&write.events, &write.causes), self.read.now);
        let row = Chained {
            after: write.expected,
            version: next.version,
            schema: next.schema,
            time,
            events: &events,
            state: next.state.as_deref().unwrap_or_default(),
            deadline: deadline.as_deref(),
            fixed,
        };
        let hash = chain(head.hash, id, &row);
        self.heads.push((id.clone(), Head { version: next.version, fixed_at, hash }));
        let follows = next.deadline.as_ref().filter(|_| writes.alarms.contains(id));
        if let Some(deadline) = follows {
            let lane = lane_of(deadline, self.read.book.lanes);
            let hearer = self.read.book.ids.get(&lane).copied().unwrap_or(self.read.id);
            self.changes.follows.push(Follow::new(id, deadline, hearer));
        }
        self.changes.events.push(EventRow {
            lane: self.read.id,
            position: self.read.position,
            part,
            stream: id.clone(),
            after: write.expected,
            version: next.version,
            time,
            schema: next.schema,
            fixed_at,
            deadline,
            hash,
            state: next.state.as_deref().unwrap_or_default().to_vec(),
            fixed: fixed.map(<[u8]>::to_vec),
            events,
        });
        Ok(())
    }

    /// One owed row for each lane that hears the pack.
    fn send(&mut self, pack: &Pack) {
        let keys: Vec<u8> = pack.keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        let (row, digest) = (pack_row(self.read.id, pack.id.position), digest(&pack.bytes));
        let groups = self.read.book.hears.iter().filter(|(_, topics)| topics.contains(&pack.topic));
        for hearer in groups.filter_map(|(group, _)| self.read.book.id(group, pack.lane)) {
            self.changes.packs.push(PackRow {
                hearer,
                digest,
                pack: row,
                topic: pack.topic.clone(),
                keys: keys.clone(),
                bytes: pack.bytes.to_vec(),
            });
        }
    }

    fn origin(&self, message: &Message, given: Option<&(PackId, u16)>) -> Origin {
        let (known, letter) = self.origins.get(&message.envelope.id).copied().unwrap_or_default();
        let given = given.and_then(|(pack, place)| {
            let sender = self.read.book.ids.get(&pack.sender)?;
            Some((pack_row(*sender, pack.position), *place))
        });
        (given.or(known), letter)
    }

    fn park(&mut self, one: &Parked) {
        let (error, wait) = (one.error.clone(), one.next.map(micros));
        if let Some(seq) = one.again {
            let again = Again { number: int(seq), error, attempts: one.attempts, wait };
            return self.changes.parked_again.push(again);
        }
        let (origin, letter) = self.origin(&one.message, one.origin.as_ref());
        self.changes.parked.push(ParkedRow {
            hearer: self.read.id,
            key: one.message.envelope.key.text().clone(),
            origin,
            letter,
            error,
            attempts: one.attempts,
            wait,
            message: pack_message(&one.message),
        });
    }

    fn bury(&mut self, one: &Buried) {
        let (origin, letter) = self.origin(&one.message, one.origin.as_ref());
        let error = one.error.clone();
        if let Some(number) = one.again.map(int).or(letter) {
            let again = Again { number, error, attempts: one.attempts, wait: None };
            return self.changes.buried_again.push(again);
        }
        self.changes.dead.push(DeadRow {
            hearer: self.read.id,
            kind: one.message.envelope.kind.clone(),
            origin,
            error,
            attempts: one.attempts,
            message: pack_message(&one.message),
        });
    }

    /// What the broker never takes is nobody's to redrive.
    fn judge(&mut self, number: u64, verdict: Verdict) -> Result<(), StoreError> {
        let number = int(number);
        let aside = self.there.dead.get(&number).filter(|aside| aside.state == STILL);
        let aside = aside.filter(|_| &*self.read.lane.group != PUBLIC).cloned();
        let aside = aside.ok_or(StoreError::Conflict)?;
        let state = match verdict {
            Verdict::Redrive => REDRIVEN,
            Verdict::Replace => REPLACED,
        };
        self.changes.states.push((number, state));
        match (verdict, aside.origin) {
            // It is owed until the copy is handled.
            (Verdict::Replace, Some((pack, place))) => self.settle(pack, &[place], BURIED, End::Parked),
            (Verdict::Replace | Verdict::Redrive, _) => Ok(()),
        }
    }

    /// Adds the owed rows as they shall be, and what the turn is held against.
    fn finish(&mut self, writes: &Writes) {
        let hearer = self.read.id;
        for pack in std::mem::take(&mut self.touched) {
            let Some(marks) = self.there.owed.get(&pack) else { continue };
            if marks.is_done() {
                self.changes.gone.push((hearer, pack));
            } else {
                let (open, marks) = (marks.is_open(), marks.bytes());
                self.changes.marked.push(Marked { hearer, pack, open, marks });
            }
        }
        let firm = !writes.withdrawn.is_empty();
        let moves = !(writes.packs.is_empty() && writes.streams.is_empty());
        let next = self.read.position + if moves { (writes.packs.len() as u64).max(1) } else { 0 };
        self.changes.holds.push(Hold {
            lane: hearer,
            version: self.read.version,
            next,
            epoch: (self.read.fenced || firm).then_some(self.read.epoch),
            firm,
            events: int(self.changes.events.len() as u64),
        });
    }
}
