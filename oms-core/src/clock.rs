//! Time: the only door through which the house learns what time it is, or waits.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment `time` later; stops at the end of time.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long it is from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 text.
    ///
    /// ```
    /// use oms_core::clock::Timestamp;
    /// let moment = Timestamp::parse("2011-05-26T11:04:00Z");
    /// assert_eq!(moment.map(|moment| moment.to_string()).as_deref(), Some("2011-05-26T11:04:00Z"));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000);
        match moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()) {
            Some(text) => out.pad(&text),
            None => write!(out, "{} µs", self.0),
        }
    }
}

/// Tells the time and waits. Core knows no other source of either, so that a simulator can own both.
///
/// `now` never has to be monotonic: nothing decides by it but the store, about leases, deadlines, and when
/// a wish is looked at again.
/// `sleep` may be dropped at any moment; a dropped sleep has no effect.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Waits for at least `time`.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}
