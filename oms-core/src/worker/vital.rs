//! What one loop knows of the ports it calls.

use crate::{clock::Timestamp, id::Name};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

/// A gateway that answers no call for so long counts as away.
const SILENCE: Duration = Duration::from_secs(10);

/// Since when a port does not answer, and what was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// Since when.
    pub since: Timestamp,
    /// How often it was tried since.
    pub tries: u64,
    /// What it, or its client, said last.
    pub error: String,
    /// When it is tried next; `None` when nobody waits to.
    pub next: Option<Timestamp>,
}

/// What one loop knows of one port. While all is well it costs one look at a flag.
#[derive(Debug, Default)]
pub(super) struct Vital {
    away: AtomicBool,
    outage: Mutex<Option<Outage>>,
}

impl Vital {
    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the port answered.
    pub(super) fn well(&self) {
        if self.away.load(Ordering::Relaxed) {
            self.away.store(false, Ordering::Relaxed);
            *self.outage() = None;
        }
    }

    /// Whether the last try failed.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Notes that the port did not answer, and is tried again after `wait`.
    pub(super) fn away(&self, now: Timestamp, error: &dyn fmt::Display, wait: Duration) {
        self.away.store(true, Ordering::Relaxed);
        let mut outage = self.outage();
        let (since, tries) = outage.as_ref().map_or((now, 0), |known| (known.since, known.tries));
        let next = Some(now.after(wait));
        *outage = Some(Outage { since, tries: tries + 1, error: error.to_string(), next });
    }

    /// The outage, while it lasts.
    pub(super) fn known(&self) -> Option<Outage> {
        if self.is_away() { self.outage().clone() } else { None }
    }
}

/// What the loops that are not a lane's know.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    pub(super) lease: Vital,
    pub(super) due: Vital,
    pub(super) relay: Vital,
    pub(super) broker: Vital,
    pub(super) doors: BTreeMap<Name, DoorVitals>,
}

/// What a gateway's loop knows.
#[derive(Debug)]
pub(super) struct DoorVitals {
    pub(super) store: Vital,
    pub(super) gateway: Vital,
    /// When the oldest call began that is not answered, in microseconds; `i64::MAX` when there is none.
    pub(super) oldest: AtomicI64,
}

impl Default for DoorVitals {
    fn default() -> Self {
        Self { store: Vital::default(), gateway: Vital::default(), oldest: AtomicI64::new(i64::MAX) }
    }
}

impl DoorVitals {
    /// The outage while somebody here goes on trying: a wish that is put off may be another process's by then.
    pub(super) fn outage(&self, now: Timestamp) -> Option<Outage> {
        let forgotten = |next: &Timestamp| now.since(*next) > SILENCE;
        self.gateway.known().filter(|outage| !outage.next.as_ref().is_some_and(forgotten))
    }

    /// The longest silence, if it is too long.
    pub(super) fn silence(&self, now: Timestamp) -> Option<Outage> {
        let since = Timestamp(self.oldest.load(Ordering::Relaxed));
        let silent = since.0 != i64::MAX && now.since(since) > SILENCE;
        silent.then(|| Outage { since, tries: 1, error: "a call is not answered".to_owned(), next: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_of_a_gateway_that_nobody_here_tries_again_is_forgotten() {
        let (door, begun) = (DoorVitals::default(), Timestamp(0));
        door.gateway.away(begun, &"no", Duration::from_secs(5));
        let at = |seconds| door.outage(begun.after(Duration::from_secs(seconds))).is_some();
        assert_eq!([at(5), at(15), at(16)], [true, true, false]);
    }

    #[test]
    fn an_outage_begins_with_the_first_failure_and_ends_with_the_first_answer() {
        let vital = Vital::default();
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        vital.away(at(1), &"no", Duration::from_secs(2));
        vital.away(at(3), &"still no", Duration::from_secs(4));
        let outage = Outage { since: at(1), tries: 2, error: "still no".to_owned(), next: Some(at(7)) };
        assert_eq!(vital.known(), Some(outage));
        vital.well();
        assert_eq!((vital.known(), vital.is_away()), (None, false));
    }
}
