//! Streams: their present state, their events, and the log of each sender's lane (rules 11, 13).

use crate::{
    clock::Timestamp,
    id::{MessageId, Name, StreamId, Table},
    message::GroupLane,
    store::{Event, Recorded, Stream, Write},
};
use std::{collections::BTreeMap, ops::Bound};

/// The events of one turn and stream.
struct Turn {
    /// The version before them.
    after: u64,
    events: Vec<Event>,
    causes: Vec<MessageId>,
    time: Timestamp,
    lane: GroupLane,
    position: u64,
}

impl Turn {
    fn recorded<'a>(&'a self, stream: &'a StreamId) -> impl Iterator<Item = Recorded> + 'a {
        let events = self.events.iter().zip(&self.causes);
        (self.after + 1..).zip(events).map(|(version, (event, cause))| Recorded {
            stream: stream.clone(),
            version,
            event: event.clone(),
            cause: *cause,
            time: self.time,
            lane: self.lane.clone(),
            position: self.position,
        })
    }
}

#[derive(Default)]
struct Row {
    stream: Stream,
    turns: Vec<Turn>,
}

/// Where a turn's events of one stream lie.
struct Written {
    position: u64,
    stream: StreamId,
    turn: usize,
}

/// The streams of one kind in order of id, brought up to date when somebody asks: writing needs no order.
#[derive(Default)]
struct Index {
    sorted: BTreeMap<Name, StreamId>,
    fresh: Vec<StreamId>,
}

/// All streams that were ever written.
#[derive(Default)]
pub(super) struct StreamTable {
    all: Table<StreamId, Row>,
    kinds: BTreeMap<Name, Index>,
    log: BTreeMap<GroupLane, Vec<Written>>,
    pub(super) rows: u64,
}

impl StreamTable {
    /// The version of a stream; 0 when it was never written.
    pub(super) fn version(&self, stream: &StreamId) -> u64 {
        self.all.get(stream).map_or(0, |row| row.stream.version)
    }

    /// A stream as it is.
    pub(super) fn get(&self, stream: &StreamId) -> Stream {
        self.all.get(stream).map(|row| row.stream.clone()).unwrap_or_default()
    }

    /// Appends the events of one turn, and keeps the state after them.
    pub(super) fn write(&mut self, lane: &GroupLane, position: u64, write: Write, time: Timestamp) {
        let Write { stream, expected, events, mut next, fixed_is_new, causes } = write;
        let row = self.all.entry(stream.clone()).or_default();
        if row.turns.is_empty() {
            let index = match self.kinds.get_mut(&stream.kind) {
                Some(index) => index,
                None => self.kinds.entry(Name::clone(&stream.kind)).or_default(),
            };
            index.fresh.push(stream.clone());
        }
        if !fixed_is_new {
            next.fixed = row.stream.fixed.take();
        }
        next.unclaimed = Vec::new();
        row.stream = next;
        let written = Written { position, stream, turn: row.turns.len() };
        row.turns.push(Turn { after: expected, events, causes, time, lane: lane.clone(), position });
        self.rows += 1;
        match self.log.get_mut(lane) {
            Some(log) => log.push(written),
            None => _ = self.log.insert(lane.clone(), vec![written]),
        }
    }

    /// The events of a stream after a version.
    pub(super) fn history(&self, stream: &StreamId, after: u64, limit: usize) -> Vec<Recorded> {
        let turns = self.all.get(stream).map(|row| row.turns.as_slice()).unwrap_or_default();
        // The turn that holds the first wanted event is the last that began at or before it.
        let first = turns.partition_point(|turn| turn.after <= after).saturating_sub(1);
        let events = turns[first..].iter().flat_map(|turn| turn.recorded(stream));
        events.skip_while(|recorded| recorded.version <= after).take(limit).collect()
    }

    /// The events of a lane after a position; those of one position are never parted.
    pub(super) fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Vec<Recorded> {
        let mut found: Vec<Recorded> = Vec::new();
        let log = self.log.get(lane).map(Vec::as_slice).unwrap_or_default();
        let first = log.partition_point(|written| written.position <= after);
        for Written { position, stream, turn } in &log[first..] {
            if found.len() >= limit && found.last().is_none_or(|last| last.position < *position) {
                break;
            }
            if let Some(turn) = self.all.get(stream).and_then(|row| row.turns.get(*turn)) {
                found.extend(turn.recorded(stream));
            }
        }
        found
    }

    /// The newest position of a lane; 0 when nothing was written there.
    pub(super) fn head(&self, lane: &GroupLane) -> u64 {
        self.log.get(lane).and_then(|log| log.last()).map_or(0, |written| written.position)
    }

    /// The streams of a kind after an id, in order.
    pub(super) fn of_kind(
        &mut self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(StreamId, Stream)> {
        let Some(Index { sorted, fresh }) = self.kinds.get_mut(kind) else { return Vec::new() };
        sorted.extend(fresh.drain(..).map(|stream| (Name::clone(&stream.id), stream)));
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = sorted.range::<str, _>((after, Bound::Unbounded)).take(limit);
        later.map(|(_, stream)| (stream.clone(), self.all[stream].stream.clone())).collect()
    }
}
