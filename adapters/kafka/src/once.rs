//! One at a time, and whoever comes meanwhile goes without.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Lets one in.
#[derive(Default)]
pub(crate) struct Once(Arc<AtomicBool>);

/// Whoever is in; the next is let in when this is dropped.
pub(crate) struct Turn(Arc<AtomicBool>);

impl Once {
    pub(crate) fn begin(&self) -> Option<Turn> {
        let taken = self.0.swap(true, Ordering::AcqRel);
        (!taken).then(|| Turn(Arc::clone(&self.0)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
