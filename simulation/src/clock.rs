//! Virtual time: it passes when the executor says so, and differs by process when a clock is wrong.

use futures::future::BoxFuture;
use oms_core::clock::{Clock, Timestamp};
use std::{
    cell::Cell,
    cmp::Reverse,
    collections::BinaryHeap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

thread_local! {
    /// How wrong the store's clock is at this moment, in microseconds: only a planted bug moves it.
    static STORE_IS_WRONG_BY: Cell<i64> = const { Cell::new(0) };
}

/// 2020-01-01T00:00:00Z, where every run begins.
const BEGIN: i64 = 1_577_836_800_000_000;

#[derive(Default)]
struct Sleepers {
    now: i64,
    count: u64,
    due: BinaryHeap<Reverse<(i64, u64, usize)>>,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// The time of one run. Clones tell the same time.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<Sleepers>>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Sleepers { now: BEGIN, ..Sleepers::default() })))
    }
}

impl Time {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that is true.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.sleepers().now)
    }

    /// How long the run has lasted.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.now().since(Timestamp(BEGIN))
    }

    /// Lets a little time pass, and wakes whoever slept until then.
    pub(crate) fn pass(&self, micros: u64) {
        let mut sleepers = self.sleepers();
        sleepers.now = sleepers.now.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX));
        while sleepers.due.peek().is_some_and(|Reverse((at, ..))| *at <= sleepers.now) {
            sleepers.wake_first();
        }
    }

    /// Jumps to the next sleeper that still sleeps; false when nobody does.
    pub(crate) fn jump(&self) -> bool {
        let mut sleepers = self.sleepers();
        while let Some(Reverse((at, ..))) = sleepers.due.peek().copied() {
            let before = sleepers.now;
            sleepers.now = before.max(at);
            if sleepers.wake_first() {
                return true;
            }
            // A sleep that was dropped moves nothing.
            sleepers.now = before;
        }
        false
    }

    /// Waits for `time`.
    #[must_use]
    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        Sleep { time: self.clone(), until: self.now().after(time).0, slot: None }
    }
}

impl Sleepers {
    fn wake_first(&mut self) -> bool {
        let Some(Reverse((_, _, slot))) = self.due.pop() else { return false };
        self.free.push(slot);
        let waker = self.wakers.get_mut(slot).and_then(Option::take);
        waker.is_some_and(|waker| {
            waker.wake();
            true
        })
    }

    fn wait(&mut self, until: i64, waker: Waker) -> usize {
        let slot = self.free.pop().unwrap_or(self.wakers.len());
        if slot == self.wakers.len() {
            self.wakers.push(None);
        }
        if let Some(place) = self.wakers.get_mut(slot) {
            *place = Some(waker);
        }
        self.count += 1;
        self.due.push(Reverse((until, self.count, slot)));
        slot
    }
}

/// A wait; dropping it ends it without effect.
pub(crate) struct Sleep {
    time: Time,
    until: i64,
    slot: Option<usize>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        let time = self.time.clone();
        let mut sleepers = time.sleepers();
        if sleepers.now >= until {
            // The slot may be another's by now; one that still waits in the heap is freed there.
            self.slot = None;
            return Poll::Ready(());
        }
        match self.slot.and_then(|slot| sleepers.wakers.get_mut(slot)) {
            Some(waker) => *waker = Some(context.waker().clone()),
            None => self.slot = Some(sleepers.wait(until, context.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let mut sleepers = self.time.sleepers();
            // The slot is not freed before its time comes: until then nobody else may use it.
            if sleepers.now < self.until
                && let Some(waker) = sleepers.wakers.get_mut(slot)
            {
                *waker = None;
            }
        }
    }
}

/// The clock of one process, which may be wrong.
#[derive(Clone)]
pub(crate) struct ProcessClock {
    time: Time,
    wrong_by: Arc<AtomicI64>,
}

impl ProcessClock {
    /// A right clock.
    #[must_use]
    pub(crate) fn new(time: Time) -> Self {
        Self { time, wrong_by: Arc::default() }
    }

    /// Sets it wrong by so many microseconds.
    pub(crate) fn set_wrong(&self, micros: i64) {
        self.wrong_by.store(micros, Ordering::Relaxed);
    }

    /// How wrong it is, in microseconds.
    #[must_use]
    pub(crate) fn wrong_by(&self) -> i64 {
        self.wrong_by.load(Ordering::Relaxed)
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.time.now().0.saturating_add(self.wrong_by()))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.time.sleep(time))
    }
}

/// The clock of the store and of the providers.
#[derive(Clone)]
pub(crate) struct StoreClock(pub(crate) Time);

impl StoreClock {
    /// Lets `work` see the store's clock wrong; for the bug that lets leases end by the worker's clock.
    pub(crate) fn wrong<T>(micros: i64, work: impl FnOnce() -> T) -> T {
        let before = STORE_IS_WRONG_BY.replace(micros);
        let done = work();
        STORE_IS_WRONG_BY.set(before);
        done
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now().0.saturating_add(STORE_IS_WRONG_BY.get()))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sleep(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, task::noop_waker_ref};

    fn poll(sleep: &mut Sleep) -> bool {
        Pin::new(sleep).poll(&mut Context::from_waker(noop_waker_ref())).is_ready()
    }

    #[test]
    fn time_jumps_to_the_next_sleeper_and_past_those_who_were_dropped() {
        let time = Time::default();
        let mut sleeps: Vec<Sleep> = [3, 1, 2].map(|secs| time.sleep(Duration::from_secs(secs))).into();
        assert!(sleeps.iter_mut().all(|sleep| !poll(sleep)));
        drop(sleeps.remove(1));
        assert!(time.jump());
        assert_eq!(time.elapsed(), Duration::from_secs(2));
        assert!(!poll(&mut sleeps[0]) && poll(&mut sleeps[1]));
        assert!(time.jump() && !time.jump(), "one sleeps, then nobody");
        assert_eq!(time.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn a_slot_that_is_used_again_wakes_who_holds_it_now() {
        let time = Time::default();
        let mut first = time.sleep(Duration::from_secs(1));
        assert!(!poll(&mut first));
        time.pass(1_000_000);
        let mut second = time.sleep(Duration::from_secs(1));
        assert!(!poll(&mut second));
        assert!(poll(&mut first), "its time has come");
        drop(first);
        assert!(time.jump(), "the second still sleeps in the slot of the first");
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn a_wrong_clock_is_wrong_by_as_much_as_it_was_set() {
        let time = Time::default();
        let clock = ProcessClock::new(time.clone());
        clock.set_wrong(-5_000_000);
        assert_eq!(time.now().since(clock.now()), Duration::from_secs(5));
        let store = StoreClock(time.clone());
        let seen = StoreClock::wrong(clock.wrong_by(), || store.now());
        assert_eq!((seen, store.now()), (clock.now(), time.now()));
    }
}
