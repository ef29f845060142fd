//! One turn's commit: everything is checked and written in one job of the writer.

mod aside;
mod consumed;
mod put;

use crate::{
    present::{After, Book, Places, SharedPresent, present},
    rows::{execute, int},
};
use oms_core::{
    clock::Timestamp,
    id::MessageId,
    message::GroupLane,
    store::{Lease, StoreError, Writes},
};
use rusqlite::{Connection, params};
use std::{collections::BTreeMap, sync::Arc};

/// How many positions are reserved at a time, so that the lane's row is not written in every turn.
const BLOCK: u64 = 1_024;

/// What a turn knows when it commits.
pub(crate) struct Commit {
    pub(crate) shared: SharedPresent,
    pub(crate) lane: GroupLane,
    pub(crate) id: i64,
    pub(crate) lease: Option<Lease>,
    pub(crate) revision: u64,
    pub(crate) position: u64,
    pub(crate) now: Timestamp,
    /// When it commits; from here on time is counted for what it sends and sets.
    pub(crate) at: Timestamp,
}

/// The owed place that a message stayed tied to, and the dead letter that it is.
type Origin = (Option<(i64, u16)>, Option<i64>);

/// A commit under way.
struct Job<'a> {
    db: &'a Connection,
    turn: &'a Commit,
    book: Arc<Book>,
    after: After,
    /// Where messages that were released or redriven came from, for those that are put aside again.
    origins: BTreeMap<MessageId, Origin>,
}

impl Commit {
    /// Checks and writes everything; on an error nothing of it may stay.
    pub(crate) fn run(&self, db: &Connection, writes: &Writes) -> Result<After, StoreError> {
        writes.sound(&self.lane, self.position)?;
        let book = self.check()?;
        let mut job = Job { db, turn: self, book, after: After::default(), origins: BTreeMap::new() };
        // First what must still be there: a firing looks at the deadline as it stood before this turn.
        job.consume(writes)?;
        job.streams(&writes.streams, &writes.alarms)?;
        job.withdraw(&writes.withdrawn)?;
        job.wish(&writes.effects)?;
        job.packs(&writes.packs)?;
        job.park(&writes.parked)?;
        job.bury(&writes.buried)?;
        job.judge(&writes.judged)?;
        if !(writes.packs.is_empty() && writes.streams.is_empty()) {
            job.advance(writes.packs.len() as u64)?;
        }
        Ok(job.after)
    }

    fn check(&self) -> Result<Arc<Book>, StoreError> {
        let present = present(&self.shared);
        if self.lease.as_ref().is_some_and(|lease| !present.holds(lease)) {
            return Err(StoreError::LostLease(self.lane.clone()));
        }
        if present.revision != self.revision {
            return Err(StoreError::Conflict);
        }
        Ok(Arc::clone(&present.book))
    }
}

impl Job<'_> {
    /// Moves the lane's position past this turn.
    fn advance(&mut self, packs: u64) -> Result<(), StoreError> {
        let next = self.turn.position + packs.max(1);
        let known = present(&self.turn.shared).places.get(&self.turn.id).copied().unwrap_or_default();
        let mut reserved = known.reserved;
        if next > reserved {
            reserved = next + BLOCK;
            let sql = "UPDATE lane SET reserved = ?2 WHERE id = ?1";
            execute(self.db, sql, params![self.turn.id, int(reserved)])?;
        }
        self.after.places = Some((self.turn.id, Places { next, reserved }));
        Ok(())
    }
}
