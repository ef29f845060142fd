//! Topics as this connection knows them: how many lanes, and how far its own publishes were confirmed.

use oms_core::id::Name;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// One topic, by the name that the brokers know.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) wire: String,
    /// For each lane, the offset behind the last pack that this connection saw confirmed.
    ends: Vec<AtomicI64>,
}

impl Topic {
    pub(crate) fn new(wire: String, lanes: usize) -> Self {
        Self { wire, ends: (0..lanes).map(|_| AtomicI64::new(0)).collect() }
    }

    pub(crate) fn lanes(&self) -> usize {
        self.ends.len()
    }

    /// Remembers a confirmed pack, so that no reader says it has caught up without it.
    pub(crate) fn confirmed(&self, lane: u16, offset: i64) {
        if let Some(end) = self.ends.get(usize::from(lane)) {
            end.fetch_max(offset + 1, Ordering::AcqRel);
        }
    }

    pub(crate) fn end(&self, lane: u16) -> i64 {
        self.ends.get(usize::from(lane)).map_or(0, |end| end.load(Ordering::Acquire))
    }
}

/// Topics by the name that senders use.
pub(crate) type Topics = BTreeMap<Name, Arc<Topic>>;
