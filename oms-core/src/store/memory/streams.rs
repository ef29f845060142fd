//! Streams: their present state, their events, and the log of each sender's lane (rules 11, 13).

use crate::{
    clock::Timestamp,
    id::{Name, Rank, StreamId},
    message::GroupLane,
    store::{Recorded, Stream, Write},
};
use std::collections::BTreeMap;

#[derive(Default)]
struct Row {
    stream: Stream,
    events: Vec<Recorded>,
}

/// Where a turn's events of one stream lie.
struct Written {
    stream: StreamId,
    after: usize,
    count: usize,
}

/// All streams that were ever written.
#[derive(Default)]
pub(super) struct StreamTable {
    all: BTreeMap<StreamId, Row>,
    log: BTreeMap<GroupLane, BTreeMap<u64, Vec<Written>>>,
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
        if !fixed_is_new {
            next.fixed = row.stream.fixed.take();
        }
        next.unclaimed = Vec::new();
        row.stream = next;
        let (after, count) = (row.events.len(), events.len());
        for (version, (event, cause)) in (expected + 1..).zip(events.into_iter().zip(causes)) {
            let stream = stream.clone();
            let lane = lane.clone();
            row.events.push(Recorded { stream, version, event, cause, time, lane, position });
        }
        self.rows += 1;
        let log = self.log.entry(lane.clone()).or_default();
        log.entry(position).or_default().push(Written { stream, after, count });
    }

    /// The events of a stream after a version.
    pub(super) fn history(&self, stream: &StreamId, after: u64, limit: usize) -> Vec<Recorded> {
        let events = self.all.get(stream).map(|row| row.events.as_slice()).unwrap_or_default();
        let after = usize::try_from(after).unwrap_or(usize::MAX).min(events.len());
        events[after..].iter().take(limit).cloned().collect()
    }

    /// The events of a lane after a position; those of one position are never parted.
    pub(super) fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Vec<Recorded> {
        let mut found = Vec::new();
        let Some(log) = self.log.get(lane) else { return found };
        for written in log.range(after.saturating_add(1)..).map(|(_, written)| written) {
            if found.len() >= limit {
                break;
            }
            for Written { stream, after, count } in written {
                let events = self.all.get(stream).map(|row| row.events.as_slice()).unwrap_or_default();
                found.extend(events.iter().skip(*after).take(*count).cloned());
            }
        }
        found
    }

    /// The streams of a kind after an id, in order.
    pub(super) fn of_kind(&self, kind: &str, after: Option<&str>, limit: usize) -> Vec<(StreamId, Stream)> {
        let mut found = BTreeMap::new();
        for rank in [Rank::Keyed, Rank::Shared] {
            let from = StreamId { rank, kind: Name::from(kind), id: Name::from(after.unwrap_or_default()) };
            let rows = self.all.range(from..).take_while(|(id, _)| id.rank == rank && &*id.kind == kind);
            let later = rows.filter(|(id, _)| after.is_none_or(|after| &*id.id > after));
            found.extend(later.take(limit).map(|(id, row)| (Name::clone(&id.id), (id, row))));
        }
        let sorted = found.into_values().take(limit);
        sorted.map(|(id, row)| (id.clone(), row.stream.clone())).collect()
    }
}
