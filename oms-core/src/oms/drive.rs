//! All loops of a house on one task, of which only those that were woken are driven on.

use crate::worker::Task;
use futures::{future::BoxFuture, task::AtomicWaker};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Ends when every loop has ended. Each is polled once at most before the caller's other futures have their turn.
pub(super) struct Drive {
    loops: Vec<(BoxFuture<'static, ()>, Arc<Woken>)>,
    caller: Arc<AtomicWaker>,
}

struct Woken {
    woken: AtomicBool,
    caller: Arc<AtomicWaker>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.caller.wake();
    }
}

impl Drive {
    pub(super) fn new(tasks: Vec<Task>) -> Self {
        let caller = Arc::new(AtomicWaker::new());
        let woken = || Arc::new(Woken { woken: AtomicBool::new(true), caller: Arc::clone(&caller) });
        let loops = tasks.into_iter().map(|task| (task.future, woken())).collect();
        Self { loops, caller }
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Before the marks are looked at: whoever is woken from here on wakes the caller again.
        self.caller.register(context.waker());
        self.loops.retain_mut(|(future, woken)| {
            if !woken.woken.swap(false, Ordering::SeqCst) {
                return true;
            }
            let waker = Waker::from(Arc::clone(woken));
            future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        if self.loops.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, channel::oneshot, future::poll_fn};
    use std::sync::atomic::AtomicUsize;

    fn task(future: impl Future<Output = ()> + Send + 'static) -> Task {
        Task { name: String::new(), future: future.boxed() }
    }

    #[test]
    fn a_loop_that_was_not_woken_is_left_alone_and_one_that_was_goes_on() {
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let (end, mut ended) = oneshot::channel::<()>();
        let (go, going) = oneshot::channel::<()>();
        let quiet = poll_fn(move |context| {
            counted.fetch_add(1, Ordering::SeqCst);
            ended.poll_unpin(context).map(drop)
        });
        let other = async move {
            going.await.unwrap_or(());
            drop(end);
        };
        let mut drive = Drive::new(vec![task(quiet), task(other)]);
        assert!((0..3).all(|_| (&mut drive).now_or_never().is_none()));
        drop(go);
        assert!((&mut drive).now_or_never().is_none(), "the other's turn comes before the one that it wakes");
        assert!((&mut drive).now_or_never().is_some());
        assert_eq!(polls.load(Ordering::SeqCst), 2, "once at first, and once when it was woken");
    }
}
