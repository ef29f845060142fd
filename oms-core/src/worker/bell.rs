//! A bell: many may ring it, one waits for it.

use futures::task::AtomicWaker;
use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

/// Wakes one waiter. A ring while nobody waits is kept for the next one who does; several rings count once.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: AtomicBool,
    waker: AtomicWaker,
}

impl Bell {
    /// Rings.
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    /// Takes a ring that nobody has waited for.
    pub(super) fn take(&self) -> bool {
        self.rung.swap(false, Ordering::SeqCst)
    }

    /// Waits for a ring. May be dropped; the ring is then kept.
    pub(super) async fn wait(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.rung.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
