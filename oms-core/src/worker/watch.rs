//! Who waits in this process for a stream to be written.

use super::bell::Bell;
use crate::{
    clock::Clock,
    id::{StreamId, Table},
    store::Write,
};
use futures::future::{Either, select};
use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a watch waits for its bell before the next look is due all the same: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(320));

/// The kinds of events that somebody waits for, and his bell.
#[derive(Debug)]
struct Waiting {
    kinds: &'static [&'static str],
    bell: Arc<Bell>,
}

/// Those who wait, by stream. A hint: what another process writes rings nothing here.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Table<StreamId, Vec<Waiting>>>);

impl Watches {
    fn all(&self) -> MutexGuard<'_, Table<StreamId, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for events of these kinds in `stream` from now on, until the watch is dropped.
    pub(super) fn watch<'a>(
        &'a self,
        stream: StreamId,
        kinds: &'static [&'static str],
        clock: &'a dyn Clock,
    ) -> Watch<'a> {
        let bell = Arc::new(Bell::default());
        let waiting = Waiting { kinds, bell: Arc::clone(&bell) };
        self.all().entry(stream.clone()).or_default().push(waiting);
        Watch { watches: self, clock, stream, bell, pause: PAUSE.0 }
    }

    /// The bells of those who wait for what is about to be written, to be rung after the commit. Who comes in between finds
    /// it with his next look.
    pub(super) fn concerned(&self, writes: &[Write]) -> Vec<Arc<Bell>> {
        let all = self.all();
        if all.is_empty() {
            return Vec::new();
        }
        let concerned = writes.iter().filter_map(|write| Some((write, all.get(&write.stream)?)));
        let bells = concerned.flat_map(|(write, waiting)| {
            let met = |one: &&Waiting| write.events.iter().any(|event| one.kinds.contains(&&*event.kind));
            waiting.iter().filter(met).map(|one| Arc::clone(&one.bell))
        });
        bells.collect()
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
    /// Waits until the stream may have news: a turn of this process wrote what is waited for since the watch began or was
    /// last asked, or it is time to look all the same, for other processes write too. May be dropped; a ring is then kept.
    pub async fn news(&mut self) {
        let ring = pin!(self.bell.wait());
        if let Either::Right(_) = select(ring, self.clock.sleep(self.pause)).await {
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut all = self.watches.all();
        if let Some(waiting) = all.get_mut(&self.stream) {
            waiting.retain(|one| !Arc::ptr_eq(&one.bell, &self.bell));
            if waiting.is_empty() {
                all.remove(&self.stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        store::{Event, Stream},
    };
    use bytes::Bytes;
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

    fn write(stream: &StreamId, kind: &str) -> Write {
        let event = Event { kind: kind.into(), schema: 1, body: Bytes::new() };
        let (stream, next) = (stream.clone(), Stream::default());
        Write { stream, expected: 0, events: vec![event], next, fixed_is_new: false, causes: Vec::new() }
    }

    #[test]
    fn a_write_concerns_all_who_wait_for_its_kind_in_its_stream_and_nobody_stays_behind() {
        let watches = Watches::default();
        let [one, other] = ["1", "2"].map(|id| StreamId::keyed("order", id));
        let [mut first, mut second] = [(); 2].map(|()| watches.watch(one.clone(), &["Ended"], &Still));
        let mut third = watches.watch(other, &["Ended"], &Still);
        assert!(watches.concerned(&[write(&one, "Moved")]).is_empty());
        watches.concerned(&[write(&one, "Ended")]).iter().for_each(|bell| bell.ring());
        let [first_rung, second_rung] = [&mut first, &mut second].map(|watch| watch.news().now_or_never());
        assert!(first_rung.is_some() && second_rung.is_some());
        assert!(third.news().now_or_never().is_none() && first.news().now_or_never().is_none());
        drop((first, second, third));
        assert!(watches.all().is_empty());
    }
}
