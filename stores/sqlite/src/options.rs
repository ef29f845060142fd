//! How a file is opened.

use futures::{FutureExt, future::BoxFuture};
use oms_core::clock::{Clock, Timestamp};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// The disk: a commit survives a power cut.
    #[default]
    Full,
    /// The operating system: a commit survives the end of this process, the newest ones not a power cut.
    Normal,
}

/// How a file is opened.
#[derive(Clone)]
pub struct Options {
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) synchronous: Synchronous,
    pub(crate) max_bytes: Option<u64>,
}

impl Options {
    /// Opens `path` with commits that survive a power cut, and the time of this machine.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        Self { path, clock: Arc::new(WallClock), synchronous: Synchronous::Full, max_bytes: None }
    }

    /// Lives by another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Says what a commit waits for.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Lets the file grow no further than this many bytes; beyond it, commits are unavailable as on a full disk.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}

/// The time of this machine. The store only ever asks what time it is.
struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(0).after(since)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = futures::channel::oneshot::channel();
        std::thread::spawn(move || {
            std::thread::sleep(time);
            let _: Result<(), ()> = sender.send(());
        });
        receiver.map(drop).boxed()
    }
}
