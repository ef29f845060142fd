//! One lane of one group, as its reader and the group's thread share it.

use crate::commits::Mark;
use futures::task::AtomicWaker;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

pub(crate) struct Lane {
    pub(crate) number: u16,
    pub(crate) marks: Vec<Mark>,
    pub(crate) waker: AtomicWaker,
    /// Whether the client still fetches for it.
    pub(crate) assigned: AtomicBool,
    /// Whether its reader is gone.
    pub(crate) left: AtomicBool,
    lost: Mutex<Option<String>>,
    /// Lets go of what its reader takes from.
    release: Mutex<Option<Release>>,
}

type Release = Box<dyn FnOnce() + Send>;

impl Lane {
    pub(crate) fn new(number: u16, marks: Vec<Mark>) -> Self {
        Self {
            number,
            marks,
            waker: AtomicWaker::new(),
            assigned: AtomicBool::new(true),
            left: AtomicBool::new(false),
            lost: Mutex::new(None),
            release: Mutex::default(),
        }
    }

    /// What has to be done before another reader may take from the same partitions.
    pub(crate) fn on_release(&self, release: impl FnOnce() + Send + 'static) {
        *self.release.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(release));
    }

    /// Ends the subscription for another reader. The queues go first: they are the partitions' own, and whoever lets go of one
    /// silences it, for the next reader too.
    pub(crate) fn give_up(&self) {
        self.lose("another reader of this process has taken the lane");
        if let Some(release) = self.release.lock().unwrap_or_else(PoisonError::into_inner).take() {
            release();
        }
    }

    /// Ends the subscription; the first reason stays.
    pub(crate) fn lose(&self, why: impl Into<String>) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.into());
        self.waker.wake();
    }

    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Its reader is gone; the group's thread clears up.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.marks.iter().all(Mark::is_known)
    }
}
