//! A stage for tests: a virtual clock, and a single-threaded run that moves it when everything waits.

use crate::clock::{Clock, Timestamp};
use futures::{
    FutureExt,
    channel::oneshot,
    future::BoxFuture,
    task::{ArcWake, waker},
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

#[derive(Default)]
struct Sleepers {
    now: i64,
    count: u64,
    waiting: BTreeMap<(i64, u64), oneshot::Sender<()>>,
}

/// A clock that stands still until [`Stage::run`] has nothing left to do, and then jumps to the next sleeper.
///
/// Starts at 2020-01-01T00:00:00Z.
#[derive(Clone)]
pub struct VirtualClock(Arc<Mutex<Sleepers>>);

impl Default for VirtualClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Sleepers { now: 1_577_836_800_000_000, ..Sleepers::default() })))
    }
}

impl VirtualClock {
    fn sleepers(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the time forward, waking whoever slept until then.
    pub fn advance(&self, time: Duration) {
        let until = Timestamp(self.sleepers().now).after(time).0;
        while self.wake_next(until) {}
        self.sleepers().now = until;
    }

    /// Jumps to the next sleeper; false when nobody sleeps.
    pub fn jump(&self) -> bool {
        self.wake_next(i64::MAX)
    }

    fn wake_next(&self, until: i64) -> bool {
        let mut sleepers = self.sleepers();
        let Some(entry) = sleepers.waiting.first_entry().filter(|entry| entry.key().0 <= until) else {
            return false;
        };
        let ((time, _), sender) = entry.remove_entry();
        // A sleep that was dropped moves nothing.
        if !sender.is_canceled() {
            sleepers.now = sleepers.now.max(time);
        }
        drop(sleepers);
        let _ = sender.send(());
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.sleepers().now)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut sleepers = self.sleepers();
        sleepers.count += 1;
        let place = (Timestamp(sleepers.now).after(time).0, sleepers.count);
        sleepers.waiting.insert(place, sender);
        receiver.map(|_| ()).boxed()
    }
}

struct Flag(AtomicBool);

impl ArcWake for Flag {
    fn wake_by_ref(flag: &Arc<Self>) {
        flag.0.store(true, Ordering::SeqCst);
    }
}

/// Runs one future on this thread, with time that passes only when it waits for nothing else.
///
/// ```
/// use oms_core::{clock::Clock, conformance::Stage};
/// use std::time::Duration;
/// let stage = Stage::default();
/// let slept = stage.clock().sleep(Duration::from_secs(3_600));
/// assert_eq!(stage.run(slept), Ok(()));
/// ```
#[derive(Clone, Default)]
pub struct Stage(VirtualClock);

/// The future waits for something that will never come: no one sleeps, and no one woke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("everything waits and nobody sleeps: the run is stuck")]
pub struct Stuck;

impl Stage {
    /// The stage's clock.
    #[must_use]
    pub fn clock(&self) -> VirtualClock {
        self.0.clone()
    }

    /// Runs `future` to its end.
    ///
    /// # Errors
    /// [`Stuck`] when nothing can wake it any more.
    pub fn run<F: Future>(&self, future: F) -> Result<F::Output, Stuck> {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = waker(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return Ok(output);
                }
            }
            if !self.0.jump() {
                return Err(Stuck);
            }
        }
    }
}
