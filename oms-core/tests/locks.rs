//! Keyed locks, on one thread and between several, which core itself never starts.

use futures::{FutureExt, join};
use oms_core::store::locks::Locks;
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_lock_goes_to_who_asked_first() {
    let locks = Locks::default();
    let first = block_on(locks.lock(1));
    let mut second = Box::pin(locks.lock(1));
    let mut third = Box::pin(locks.lock(1));
    assert!(second.as_mut().now_or_never().is_none());
    assert!(third.as_mut().now_or_never().is_none());
    drop(first);
    assert!(third.as_mut().now_or_never().is_none(), "the third waits for the second");
    let held = second.now_or_never().expect("handed over");
    drop(held);
    assert!(third.now_or_never().is_some());
    assert_eq!(locks.held(), 0, "an entry stayed behind");
}

#[test]
fn other_keys_do_not_wait() {
    let locks = Locks::default();
    let _held = block_on(locks.lock("a"));
    assert!(locks.lock("b").now_or_never().is_some());
}

#[test]
fn who_stops_waiting_keeps_nobody_waiting() {
    let locks = Locks::default();
    let first = block_on(locks.lock(1));
    let mut gone = Box::pin(locks.lock(1));
    let mut handed = Box::pin(locks.lock(1));
    let mut last = Box::pin(locks.lock(1));
    for waiter in [&mut gone, &mut handed, &mut last] {
        assert!(waiter.as_mut().now_or_never().is_none());
    }
    drop(gone);
    drop(first);
    // The lock lies in the channel of `handed` now, and must not be lost with it.
    drop(handed);
    assert!(last.now_or_never().is_some());
    assert_eq!(locks.held(), 0);
}

#[test]
fn overlapping_sets_in_any_order_do_not_deadlock() {
    let locks = Locks::default();
    let take = |keys: [u8; 3]| {
        let locks = locks.clone();
        async move {
            for _ in 0..100 {
                drop(locks.lock_all(BTreeSet::from(keys)).await);
            }
        }
    };
    block_on(async { join!(take([1, 2, 3]), take([3, 1, 4]), take([4, 2, 1])) });
    assert_eq!(locks.held(), 0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a lock is tried by real threads")]
fn threads_exclude_each_other() {
    let (locks, count) = (Locks::default(), Arc::new(Mutex::new((0, 0))));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (locks, count) = (locks.clone(), Arc::clone(&count));
            std::thread::spawn(move || {
                for _ in 0..500 {
                    let held = block_on(locks.lock(1));
                    let seen = count.lock().expect("counts").0;
                    std::thread::yield_now();
                    count.lock().expect("counts").0 = seen + 1;
                    drop(held);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("ends");
    }
    assert_eq!((count.lock().expect("counts").0, locks.held()), (2_000, 0));
}
