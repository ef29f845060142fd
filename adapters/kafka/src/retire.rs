//! Ends clients elsewhere: librdkafka waits while it closes one, and no task of a runtime may.

use std::thread;

/// A client that is dropped on a thread of its own, which ends as soon as it is closed.
pub(crate) struct Retiring<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Retiring<T> {
    pub(crate) fn new(client: T) -> Self {
        Self(Some(client))
    }

    /// The client; there until it is dropped.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Send + 'static> Drop for Retiring<T> {
    fn drop(&mut self) {
        let client = self.0.take();
        // Without a thread it is closed here: slow is better than leaked.
        let _ = thread::Builder::new().name("oms-kafka close".to_owned()).spawn(move || drop(client));
    }
}
