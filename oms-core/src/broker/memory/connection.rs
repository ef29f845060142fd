//! One connection to an in-process broker: its number, its limits, and whether it is still open.

use super::{super::BrokerError, limits::MemoryLimits, wire::Wire};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// What errors and capabilities call this broker.
pub(super) const NAME: &str = "memory";

/// What a broker's value and its consumers share.
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) wire: Arc<Mutex<Wire>>,
    pub(super) limits: MemoryLimits,
    pub(super) closed: AtomicBool,
}

impl Connection {
    /// Never held across an await, nor while somebody is woken.
    pub(super) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self) -> Result<(), BrokerError> {
        if self.closed.load(Ordering::SeqCst) { Err(BrokerError::Closed { broker: NAME }) } else { Ok(()) }
    }
}
