//! What a user may turn: lanes, batches, waits and limits, each with its bounds.

use super::RetryPolicy;
use crate::message::{Limit, MAX_LANES};
use std::time::Duration;

/// The settings of the loops. The defaults suit one process on an embedded store.
///
/// ```
/// use oms_core::worker::Options;
/// assert!(Options::default().checked().is_ok());
/// assert!(Options { lanes: 0, ..Options::default() }.checked().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Lanes of every group, 1 to [`MAX_LANES`]; recorded by the store, so changing it later is an error (rule 22).
    pub lanes: u16,
    /// The largest batch of one turn (rule 21).
    pub batch: Limit,
    /// The largest number of streams that one turn loads beside those that were asked for with the batch; one message
    /// always fits, however many it needs (rule 21).
    pub streams: usize,
    /// The largest pack that travels as one broker message.
    pub pack: Limit,
    /// How long a lease holds; renewed at a third of it (rule 8).
    pub lease: Duration,
    /// After how long a quiet lane takes what it is owed from the store; ten times that while it is busy (rule 2).
    pub overdue: Duration,
    /// Retries of messages whose handler failed.
    pub retry: RetryPolicy,
    /// Retries of gateways, brokers and stores that do not answer: for ever, at this pace.
    pub outage: RetryPolicy,
    /// `place` refuses with `Overloaded` when more owed rows than this wait (rule 21).
    pub backlog: u64,
}

impl Default for Options {
    fn default() -> Self {
        let outage = RetryPolicy {
            attempts: u32::MAX,
            first: Duration::from_millis(20),
            longest: Duration::from_secs(5),
        };
        Self {
            lanes: 4,
            batch: Limit { messages: 200, bytes: 4 << 20 },
            streams: 4_096,
            pack: Limit { messages: 100, bytes: 256 << 10 },
            lease: Duration::from_secs(15),
            overdue: Duration::from_secs(5),
            retry: RetryPolicy::default(),
            outage,
            backlog: 100_000,
        }
    }
}

/// Why options are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No lanes, or too many.
    #[error("{0} lanes; choose 1 to {MAX_LANES}")]
    Lanes(u16),
    /// A batch or pack that can hold nothing, or more messages than a pack may have.
    #[error("a {what} of {messages} messages; choose 1 to {}", u16::MAX)]
    Batch {
        /// Which of them.
        what: &'static str,
        /// What was asked for.
        messages: usize,
    },
    /// A time of zero.
    #[error("the {0} time is zero; give it at least a millisecond")]
    Time(&'static str),
}

impl Options {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`OptionsError`], by the setting that is out of them.
    pub fn checked(self) -> Result<Self, OptionsError> {
        if self.lanes == 0 || self.lanes > MAX_LANES {
            return Err(OptionsError::Lanes(self.lanes));
        }
        for (what, messages) in [("batch", self.batch.messages), ("pack", self.pack.messages)] {
            if messages == 0 || messages > usize::from(u16::MAX) {
                return Err(OptionsError::Batch { what, messages });
            }
        }
        for (what, time) in [("lease", self.lease), ("overdue", self.overdue)] {
            if time < Duration::from_millis(1) {
                return Err(OptionsError::Time(what));
            }
        }
        Ok(self)
    }
}
