//! Who waits in this process for a stream to be written.

use super::bell::Bell;
use crate::{clock::Clock, id::StreamId};
use futures::future::{Either, select};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a watch waits for its bell before the next look is due all the same: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));

/// The bells of those who wait, by stream. A hint: what another process writes rings nothing here.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<BTreeMap<StreamId, Vec<Arc<Bell>>>>);

impl Watches {
    fn bells(&self) -> MutexGuard<'_, BTreeMap<StreamId, Vec<Arc<Bell>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of `stream` from now on, until the watch is dropped.
    pub(super) fn watch<'a>(&'a self, stream: StreamId, clock: &'a dyn Clock) -> Watch<'a> {
        let bell = Arc::new(Bell::default());
        self.bells().entry(stream.clone()).or_default().push(Arc::clone(&bell));
        Watch { watches: self, clock, stream, bell, pause: PAUSE.0 }
    }

    /// Says that these were written; called after the commit, so that whoever is woken finds it.
    pub(super) fn ring<'a>(&self, written: impl Iterator<Item = &'a StreamId>) {
        let bells = self.bells();
        if !bells.is_empty() {
            written.filter_map(|stream| bells.get(stream)).flatten().for_each(|bell| bell.ring());
        }
    }
}

/// One who waits for a stream.
pub struct Watch<'a> {
    watches: &'a Watches,
    clock: &'a dyn Clock,
    stream: StreamId,
    bell: Arc<Bell>,
    pause: Duration,
}

impl Watch<'_> {
    /// Waits until the stream may have news: a turn of this process wrote it since the watch began or was last asked, or it
    /// is time to look all the same, for other processes write too. May be dropped; a ring is then kept.
    pub async fn news(&mut self) {
        let ring = pin!(self.bell.wait());
        self.pause = match select(ring, self.clock.sleep(self.pause)).await {
            Either::Left(_) => PAUSE.0,
            Either::Right(_) => (self.pause * 2).min(PAUSE.1),
        };
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut bells = self.watches.bells();
        if let Some(waiting) = bells.get_mut(&self.stream) {
            waiting.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
            if waiting.is_empty() {
                bells.remove(&self.stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use futures::{
        FutureExt,
        future::{BoxFuture, pending},
    };

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp(0)
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            pending().boxed()
        }
    }

    #[test]
    fn a_ring_reaches_all_who_watch_that_stream_and_nobody_stays_behind() {
        let watches = Watches::default();
        let [one, other] = ["1", "2"].map(|id| StreamId::keyed("order", id));
        let [mut first, mut second] = [(); 2].map(|()| watches.watch(one.clone(), &Still));
        let mut third = watches.watch(other, &Still);
        watches.ring([&one].into_iter());
        let [first_rung, second_rung] = [&mut first, &mut second].map(|watch| watch.news().now_or_never());
        assert!(first_rung.is_some() && second_rung.is_some());
        assert!(third.news().now_or_never().is_none() && first.news().now_or_never().is_none());
        drop((first, second, third));
        assert!(watches.bells().is_empty());
    }
}
