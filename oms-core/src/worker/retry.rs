//! How often, and when, a failing message is tried again.

use crate::id::{Digest, MessageId};
use std::time::Duration;

/// Back-off that doubles, with a jitter of up to half drawn from the message's id, so that a repeated run waits alike.
///
/// ```
/// use oms_core::{id::MessageId, worker::RetryPolicy};
/// let policy = RetryPolicy::default();
/// assert!(policy.after(MessageId(1), 3).is_some());
/// assert_eq!(policy.after(MessageId(1), policy.attempts), None, "attempts are spent: it becomes a dead letter");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After this many tries a message becomes a dead letter.
    pub attempts: u32,
    /// The wait after the first try.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 10, first: Duration::from_millis(200), longest: Duration::from_secs(60) }
    }
}

impl RetryPolicy {
    /// How long to wait after `attempts` tries, or `None` when they are spent.
    #[must_use]
    pub fn after(&self, message: MessageId, attempts: u32) -> Option<Duration> {
        (attempts < self.attempts).then(|| self.wait(message.0, attempts))
    }

    /// The wait before try `attempts + 1`, however many there were; for what is retried for ever.
    #[must_use]
    pub fn wait(&self, seed: u128, attempts: u32) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        let whole = doubled.min(self.longest);
        let draw = Digest::new("jitter").number(seed).number(attempts.into()).finish() % 512;
        whole / 2 + whole.saturating_mul(u32::try_from(draw).unwrap_or(0)) / 1_024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_between_half_and_whole_and_never_pass_the_longest() {
        let policy = RetryPolicy::default();
        for attempts in 1..40 {
            let whole = policy.first.saturating_mul(1 << (attempts - 1).min(20)).min(policy.longest);
            let wait = policy.wait(7, attempts);
            assert!(wait >= whole / 2 && wait <= whole, "{attempts}: {wait:?} of {whole:?}");
        }
    }

    #[test]
    fn attempts_are_spent_at_the_limit() {
        let policy = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        assert!(policy.after(MessageId(1), 2).is_some());
        assert_eq!(policy.after(MessageId(1), 3), None);
    }
}
