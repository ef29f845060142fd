//! The time of the operating system, and the waits of Tokio.

use futures::{FutureExt, future::BoxFuture};
use oms_core::clock::{Clock, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the operating system's time, and waits with Tokio's timer.
///
/// `sleep` must be awaited inside a Tokio runtime with time enabled; it may be made anywhere.
///
/// ```
/// use oms_broker::{Clock, SystemClock};
/// use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let before = SystemClock.now();
/// SystemClock.sleep(Duration::from_millis(2)).await;
/// assert!(SystemClock.now().since(before) >= Duration::from_millis(1));
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let (since, sign) = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => (since, 1),
            // A clock that stands before 1970.
            Err(before) => (before.duration(), -1),
        };
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX) * sign)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        // Made at the first poll: Tokio's sleep needs the runtime at once.
        async move { tokio::time::sleep(time).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_may_be_made_and_dropped_without_a_runtime() {
        drop(SystemClock.sleep(Duration::from_secs(1)));
        assert!(SystemClock.now() > Timestamp::parse("2024-01-01T00:00:00Z").unwrap());
    }
}
