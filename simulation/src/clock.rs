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
pub struct Time(Arc<Mutex<Sleepers>>);

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
    pub fn now(&self) -> Timestamp {
        Timestamp(self.sleepers().now)
    }

    /// How long the run has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().since(Timestamp(BEGIN))
    }

    /// Lets a little time pass, and wakes whoever slept until then.
    pub fn pass(&self, micros: u64) {
        let mut sleepers = self.sleepers();
        sleepers.now = sleepers.now.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX));
        while sleepers.due.peek().is_some_and(|Reverse((at, ..))| *at <= sleepers.now) {
            sleepers.wake_first();
        }
    }

    /// Jumps to the next sleeper that still sleeps; false when nobody does.
    pub fn jump(&self) -> bool {
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
    pub fn sleep(&self, time: Duration) -> Sleep {
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
pub struct Sleep {
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
pub struct ProcessClock {
    time: Time,
    wrong_by: Arc<AtomicI64>,
}

impl ProcessClock {
    /// A right clock.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self { time, wrong_by: Arc::default() }
    }

    /// Sets it wrong by so many microseconds.
    pub fn set_wrong(&self, micros: i64) {
        self.wrong_by.store(micros, Ordering::Relaxed);
    }

    /// How wrong it is, in microseconds.
    #[must_use]
    pub fn wrong_by(&self) -> i64 {
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
pub struct StoreClock(pub Time);

impl StoreClock {
    /// Lets `work` see the store's clock wrong; for the bug that lets leases end by the worker's clock.
    pub fn wrong<T>(micros: i64, work: impl FnOnce() -> T) -> T {
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
