//! How far each source of a lane may be committed, and is known to be.

use crate::{
    ends::Topic,
    note::{Note, Standing},
};
use rdkafka::{Offset, TopicPartitionList, error::KafkaResult};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

/// One topic's partition, as one reader of one group follows it.
///
/// Beside the offset stands a text that was written when the group was declared. A server that was wiped, or a
/// topic that was made anew, does not have it any more; so a reader finds out, and commits nothing there.
pub(crate) struct Mark {
    pub(crate) topic: Arc<Topic>,
    pub(crate) lane: u16,
    pub(crate) origin: String,
    wanted: AtomicI64,
    /// What is acked above the watermark; the flag says whether anything is, or was when it was last committed.
    ahead: Mutex<BTreeSet<i64>>,
    ragged: AtomicBool,
    changed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mark {
    pub(crate) fn new(topic: Arc<Topic>, lane: u16, at: &Standing) -> Self {
        let ahead = at.note.ahead.clone();
        Self {
            topic,
            lane,
            origin: at.note.origin.clone(),
            wanted: AtomicI64::new(at.offset),
            ragged: AtomicBool::new(!ahead.is_empty()),
            ahead: Mutex::new(ahead),
            changed: AtomicBool::new(false),
        }
    }

    pub(crate) fn partition(&self) -> i32 {
        i32::from(self.lane)
    }

    /// More was acked: the watermark, and what is acked above it.
    pub(crate) fn want(&self, watermark: i64, ahead: impl Iterator<Item = i64>) {
        let mut ahead = ahead.peekable();
        let ragged = ahead.peek().is_some();
        if ragged || self.ragged.load(Ordering::Acquire) {
            *lock(&self.ahead) = ahead.collect();
            self.ragged.store(ragged, Ordering::Release);
        }
        self.wanted.store(watermark, Ordering::Release);
        self.changed.store(true, Ordering::Release);
    }

    /// How many are acked that still count as waiting where the group stands so.
    pub(crate) fn acked_beyond(&self, at: &Standing) -> u64 {
        let wanted = self.wanted.load(Ordering::Acquire);
        let below = u64::try_from(wanted - at.offset).unwrap_or(0);
        below + lock(&self.ahead).iter().filter(|offset| **offset >= wanted.max(at.offset)).count() as u64
    }

    pub(crate) fn is_known(&self) -> bool {
        !self.changed.load(Ordering::Acquire)
    }

    /// Adds what is to be committed now, if anything is; [`Mark::lost`] follows when the brokers do not take it.
    pub(crate) fn collect(&self, list: &mut TopicPartitionList) -> KafkaResult<bool> {
        if !self.changed.swap(false, Ordering::AcqRel) {
            return Ok(false);
        }
        let wanted = self.wanted.load(Ordering::Acquire);
        // Offsets stand in the note as they are, so that one of another moment says nothing wrong.
        let ahead = lock(&self.ahead).iter().copied().filter(|offset| *offset > wanted).collect();
        let note = Note { origin: self.origin.clone(), ahead };
        add(list, &self.topic.wire, self.lane, wanted, &note).map(|()| true)
    }

    /// The brokers have not taken what was collected.
    pub(crate) fn lost(&self) {
        self.changed.store(true, Ordering::Release);
    }
}

/// Adds one offset with its note.
pub(crate) fn add(
    list: &mut TopicPartitionList,
    topic: &str,
    lane: u16,
    offset: i64,
    note: &Note,
) -> KafkaResult<()> {
    let mut one = list.add_partition(topic, i32::from(lane));
    one.set_offset(Offset::Offset(offset))?;
    one.set_metadata(note.to_string());
    Ok(())
}
