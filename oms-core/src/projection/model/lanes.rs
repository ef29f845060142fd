//! The logs of the lanes that a model reads, merged by time: which event comes next, and how far each lane was read.

use crate::{
    message::GroupLane,
    store::{Recorded, Store, StoreError},
};
use std::collections::VecDeque;

/// How many events are read from a lane at a time.
const PAGE: usize = 500;

/// One event, with the place of its stream's kind among the model's.
pub(super) struct Next {
    pub(super) kind: usize,
    pub(super) recorded: Recorded,
}

struct LaneLog {
    lane: GroupLane,
    /// The newest position that was read.
    read: u64,
    /// The newest position that there is, as far as is known.
    head: u64,
    /// Read and not yet heard.
    queue: VecDeque<Next>,
    /// Whether the first of them must wait for another lane.
    held: bool,
}

impl LaneLog {
    /// The position up to which everything was heard: what is held back is never passed.
    fn done(&self) -> u64 {
        self.queue.front().map_or(self.read, |next| next.recorded.position.saturating_sub(1))
    }
}

/// All lanes of one model.
pub(super) struct Lanes {
    lanes: Vec<LaneLog>,
    /// The cursors as they were saved.
    saved: Vec<u64>,
}

impl Lanes {
    /// Begins behind the cursors that were saved; lanes without one at 0.
    pub(super) fn new(lanes: Vec<GroupLane>, cursors: &[(GroupLane, u64)]) -> Self {
        let cursor =
            |lane: &GroupLane| cursors.iter().find(|(known, _)| known == lane).map_or(0, |(_, at)| *at);
        let saved: Vec<u64> = lanes.iter().map(cursor).collect();
        let lanes = lanes.into_iter().zip(&saved);
        let log = |(lane, read): (GroupLane, &u64)| LaneLog {
            lane,
            read: *read,
            head: *read,
            queue: VecDeque::new(),
            held: false,
        };
        Self { lanes: lanes.map(log).collect(), saved }
    }

    /// Asks where the lanes end now, one query for all; says whether there is anything to read or hear.
    pub(super) async fn look(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        let names: Vec<GroupLane> = self.lanes.iter().map(|log| log.lane.clone()).collect();
        let heads = store.heads(&names).await?;
        for (log, head) in self.lanes.iter_mut().zip(heads) {
            log.head = log.head.max(head);
        }
        Ok(self.lanes.iter().any(|log| log.read < log.head || !log.queue.is_empty()))
    }

    /// Reads on in every lane of which nothing is left in hand; `kind` says of each event which of the model's kinds it is.
    pub(super) async fn fill(
        &mut self,
        store: &dyn Store,
        mut kind: impl FnMut(&Recorded) -> Option<usize>,
    ) -> Result<(), StoreError> {
        for log in &mut self.lanes {
            while log.queue.is_empty() && log.read < log.head {
                let page = store.log(&log.lane, log.read, PAGE).await?;
                // Positions may have been reserved and never used.
                log.read = page.last().map_or(log.head, |last| last.position);
                let heard = page.into_iter().filter_map(|recorded| Some((kind(&recorded)?, recorded)));
                log.queue.extend(heard.map(|(kind, recorded)| Next { kind, recorded }));
            }
        }
        Ok(())
    }

    /// Whether a lane must be read on before the next event is known.
    pub(super) fn is_short(&self) -> bool {
        self.lanes.iter().any(|log| log.queue.is_empty() && log.read < log.head)
    }

    /// The lane whose first event is the oldest of those that need not wait.
    pub(super) fn first(&self) -> Option<usize> {
        let free = self.lanes.iter().enumerate().filter(|(_, log)| !log.held);
        let first = free.filter_map(|(place, log)| Some((log.queue.front()?.recorded.time, place)));
        first.min().map(|(_, place)| place)
    }

    /// A lane that waits.
    pub(super) fn held(&self) -> Option<usize> {
        self.lanes.iter().position(|log| log.held)
    }

    /// The first event of a lane.
    pub(super) fn peek(&self, place: usize) -> Option<&Next> {
        self.lanes.get(place)?.queue.front()
    }

    /// The first event of a lane was heard. Whoever waits looks again: it may have been that one.
    pub(super) fn pop(&mut self, place: usize) {
        let heard = self.lanes.get_mut(place).and_then(|log| log.queue.pop_front());
        let Some(heard) = heard else { return };
        let stream = &heard.recorded.stream;
        for log in self.lanes.iter_mut().filter(|log| log.held) {
            log.held = log.queue.front().is_some_and(|next| next.recorded.stream != *stream);
        }
    }

    /// The first event of a lane must wait.
    pub(super) fn hold(&mut self, place: usize) {
        if let Some(log) = self.lanes.get_mut(place) {
            log.held = true;
        }
    }

    /// Nobody waits any more.
    pub(super) fn free(&mut self, place: usize) {
        if let Some(log) = self.lanes.get_mut(place) {
            log.held = false;
        }
    }

    /// Cursors that have moved since they were saved; they count as saved from here on.
    pub(super) fn moved(&mut self) -> Vec<(GroupLane, u64)> {
        let all = self.lanes.iter().zip(&mut self.saved);
        let moved = all.filter_map(|(log, saved)| {
            let done = log.done();
            (done > std::mem::replace(saved, done)).then(|| (log.lane.clone(), done))
        });
        moved.collect()
    }

    /// How far the lanes were heard, and how far they go, all together.
    pub(super) fn reach(&self) -> (u64, u64) {
        let done = self.lanes.iter().map(LaneLog::done).sum();
        (done, self.lanes.iter().map(|log| log.head).sum())
    }

    /// Whether a checkpoint says more than the log has: the log is older than the rows.
    pub(super) fn is_ahead(&self, heads: &[u64]) -> bool {
        self.saved.iter().zip(heads).any(|(saved, head)| saved > head)
    }
}
