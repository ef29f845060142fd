//! How far each source of a lane may be committed, and is known to be.

use crate::ends::Topic;
use rdkafka::{Offset, TopicPartitionList, error::KafkaResult};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

/// One topic's partition, as one reader of one group follows it.
///
/// Beside the offset stands a text that was written when the group was declared. A server that was wiped, or a
/// topic that was made anew, does not have it any more; so a reader finds out, and commits nothing there.
pub(crate) struct Mark {
    pub(crate) topic: Arc<Topic>,
    pub(crate) lane: u16,
    pub(crate) origin: String,
    pub(crate) start: i64,
    wanted: AtomicI64,
    known: AtomicI64,
    ahead: AtomicU64,
}

impl Mark {
    pub(crate) fn new(topic: Arc<Topic>, lane: u16, origin: String, start: i64) -> Self {
        let at = || AtomicI64::new(start);
        Self { topic, lane, origin, start, wanted: at(), known: at(), ahead: AtomicU64::new(0) }
    }

    pub(crate) fn partition(&self) -> i32 {
        i32::from(self.lane)
    }

    /// The watermark has moved.
    pub(crate) fn want(&self, offset: i64) {
        self.wanted.store(offset, Ordering::Release);
    }

    /// How many are acked above the watermark.
    pub(crate) fn set_ahead(&self, count: u64) {
        self.ahead.store(count, Ordering::Release);
    }

    /// What the brokers may count as waiting although it is acked: from `committed` to our watermark, and above.
    pub(crate) fn acked_beyond(&self, committed: i64) -> u64 {
        let below = self.wanted.load(Ordering::Acquire).saturating_sub(committed);
        u64::try_from(below).unwrap_or(0) + self.ahead.load(Ordering::Acquire)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Acquire) == self.wanted.load(Ordering::Acquire)
    }

    /// Adds what is to be committed now, if anything is; gives its offset.
    pub(crate) fn collect(&self, list: &mut TopicPartitionList) -> KafkaResult<Option<i64>> {
        let wanted = self.wanted.load(Ordering::Acquire);
        if self.known.load(Ordering::Acquire) == wanted {
            return Ok(None);
        }
        add(list, &self.topic.wire, self.lane, wanted, &self.origin).map(|()| Some(wanted))
    }

    /// The brokers have taken this offset.
    pub(crate) fn took(&self, offset: i64) {
        self.known.store(offset, Ordering::Release);
    }
}

/// Adds one offset with its text.
pub(crate) fn add(
    list: &mut TopicPartitionList,
    topic: &str,
    lane: u16,
    offset: i64,
    origin: &str,
) -> KafkaResult<()> {
    let mut one = list.add_partition(topic, i32::from(lane));
    one.set_offset(Offset::Offset(offset))?;
    one.set_metadata(origin);
    Ok(())
}
