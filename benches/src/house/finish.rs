//! The finish line: when each order on its way has come to its end.

use oms_core::{id::Name, store::Writes};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::OwnedSemaphorePermit;

/// The events that end an order's whole way.
pub const ENDED: &[&str] = &["OrderCompleted", "OrderFailed", "OrderCancelled"];
/// These, and the events after which an order moves no further before somebody releases its dispatch, or its customer approves.
pub const WAITING: &[&str] =
    &["OrderCompleted", "OrderFailed", "OrderCancelled", "OrderDispatchHeld", "PaymentActionRequired"];

/// An order on its way: since when, and its place among those that may be, which it leaves free at its end.
struct Runner {
    since: Instant,
    _place: Option<OwnedSemaphorePermit>,
}

/// Notes the time of each order that was started, from its start until the commit that ends it is durable.
#[derive(Default)]
pub struct FinishLine {
    ends: &'static [&'static str],
    course: Mutex<Course>,
}

#[derive(Default)]
struct Course {
    runners: HashMap<Name, Runner>,
    seconds: Option<Vec<f64>>,
    ended: u64,
    failed: u64,
    bytes: u64,
}

/// What a commit will mean once it is durable.
#[derive(Debug, Default)]
pub struct Passing {
    orders: Vec<Name>,
    failed: u64,
    bytes: u64,
}

impl FinishLine {
    /// Ends each order at the first of these events; keeps every order's time only if asked to.
    #[must_use]
    pub fn at(ends: &'static [&'static str], keeps_times: bool) -> Self {
        let course = Course { seconds: keeps_times.then(Vec::new), ..Course::default() };
        Self { ends, course: Mutex::new(course) }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an order; its place is given back at its end.
    pub fn start(&self, order: Name, since: Instant, place: Option<OwnedSemaphorePermit>) {
        self.course().runners.insert(order, Runner { since, _place: place });
    }

    /// Reads what a commit is about to write.
    #[must_use]
    pub fn look(&self, writes: &Writes) -> Passing {
        let mut passing = Passing { bytes: bytes(writes), ..Passing::default() };
        for write in &writes.streams {
            for event in write.events.iter().filter(|event| self.ends.contains(&&*event.kind)) {
                passing.failed += u64::from(matches!(&*event.kind, "OrderFailed" | "OrderCancelled"));
                passing.orders.push(write.stream.id.clone());
            }
        }
        passing
    }

    /// Notes that a commit is durable.
    pub fn pass(&self, passing: Passing) {
        let mut course = self.course();
        course.bytes += passing.bytes;
        course.failed += passing.failed;
        if passing.orders.is_empty() {
            return;
        }
        let now = Instant::now();
        for order in passing.orders {
            course.ended += 1;
            let Some(runner) = course.runners.remove(&order) else { continue };
            if let Some(seconds) = &mut course.seconds {
                seconds.push(now.saturating_duration_since(runner.since).as_secs_f64());
            }
        }
    }

    /// Notes the end of one order, of which no store knows.
    pub fn end(&self, order: Name) {
        self.pass(Passing { orders: vec![order], ..Passing::default() });
    }

    /// Takes the times of the orders that have ended since the last call, in seconds.
    #[must_use]
    pub fn take_seconds(&self) -> Vec<f64> {
        self.course().seconds.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How many orders have ended, and how many of them not as completed.
    #[must_use]
    pub fn ended(&self) -> (u64, u64) {
        let course = self.course();
        (course.ended, course.failed)
    }

    /// The bytes of everything that was committed: events, states, packs and wishes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.course().bytes
    }
}

fn bytes(writes: &Writes) -> u64 {
    let streams = writes.streams.iter().map(|write| {
        let events: usize = write.events.iter().map(|event| event.body.len()).sum();
        let fixed = write.next.fixed.as_ref().filter(|_| write.fixed_is_new).map_or(0, |fixed| fixed.len());
        events + fixed + write.next.state.as_ref().map_or(0, |state| state.len())
    });
    let packs = writes.packs.iter().map(|pack| pack.bytes.len());
    let effects = writes.effects.iter().map(|effect| effect.request.len());
    streams.chain(packs).chain(effects).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_core::{
        id::StreamId,
        store::{Event, Stream, Write},
    };
    use std::{sync::Arc, time::Duration};
    use tokio::sync::Semaphore;

    fn writes(order: &str, kind: &str) -> Writes {
        let event = Event { kind: kind.into(), schema: 1, body: "12345".into() };
        let write = Write {
            stream: StreamId::keyed("order", order),
            expected: 0,
            events: vec![event],
            next: Stream { state: Some("123".into()), fixed: Some("1".into()), ..Stream::default() },
            fixed_is_new: false,
            causes: Vec::new(),
        };
        Writes { streams: vec![write], ..Writes::default() }
    }

    #[test]
    fn an_order_gives_its_place_back_at_its_end_and_not_before() {
        let (line, places) = (FinishLine::at(ENDED, true), Arc::new(Semaphore::new(1)));
        let since = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        line.start("o-1".into(), since, Arc::clone(&places).try_acquire_owned().ok());
        line.pass(line.look(&writes("o-1", "OrderDelivered")));
        line.pass(line.look(&writes("o-2", "OrderCompleted")));
        assert_eq!((places.available_permits(), line.ended()), (0, (1, 0)));
        line.pass(line.look(&writes("o-1", "OrderFailed")));
        assert_eq!((places.available_permits(), line.ended()), (1, (2, 1)));
        assert!(line.take_seconds()[0] >= 1.0);
        assert!(line.take_seconds().is_empty());
    }

    #[test]
    fn what_never_changes_counts_only_where_it_is_written() {
        let mut once = writes("o-1", "OrderPlaced");
        assert_eq!(bytes(&once), 8);
        once.streams[0].fixed_is_new = true;
        assert_eq!(bytes(&once), 9);
    }
}
