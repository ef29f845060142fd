//! The states that a lane has written lately, each beside its bytes.

use crate::{
    id::{StreamId, Table},
    service::{Entry, State},
    store::Stream,
};
use bytes::Bytes;
use std::sync::Arc;

/// How many states a lane keeps, and bytes of them, before it forgets those that it kept before the last so many.
const MOST: (usize, usize) = (256, 512 << 10);

/// A state, and what it was written as.
pub(super) struct Written {
    state: Bytes,
    fixed: Option<Bytes>,
    typed: Arc<dyn State>,
}

impl Written {
    /// What `stream` is written as; `None` for one without a state.
    pub(super) fn of(stream: &Stream, typed: Arc<dyn State>) -> Option<Self> {
        Some(Self { state: stream.state.clone()?, fixed: stream.fixed.clone(), typed })
    }

    fn is(&self, stream: &Stream) -> bool {
        stream.schema == self.typed.schema()
            && stream.state.as_ref() == Some(&self.state)
            && stream.fixed == self.fixed
    }
}

/// Spares a lane to read again what it has written itself. Streams are loaded all the same, each turn: a state goes on only
/// where the store gives the very bytes that it was written as.
#[derive(Default)]
pub(super) struct States {
    new: Table<StreamId, Written>,
    old: Table<StreamId, Written>,
    bytes: usize,
}

impl States {
    /// A stream as it was loaded, with its state if that is known.
    pub(super) fn entry(&self, id: &StreamId, stream: Stream) -> Entry {
        let known = self.new.get(id).or_else(|| self.old.get(id)).filter(|known| known.is(&stream));
        let (version, mut entry) = (stream.version, Entry::new(stream));
        if let Some(known) = known {
            entry.advance(version, Arc::clone(&known.typed));
        }
        entry
    }

    /// Keeps what a turn has written.
    pub(super) fn keep(&mut self, written: Vec<(StreamId, Written)>) {
        for (id, one) in written {
            if self.new.len() >= MOST.0 || self.bytes >= MOST.1 {
                self.old = std::mem::take(&mut self.new);
                self.bytes = 0;
            }
            self.bytes += one.state.len() + one.fixed.as_ref().map_or(0, Bytes::len);
            self.new.insert(id, one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::toy::{Count, stream};

    fn stored(count: u64) -> Stream {
        let state = State::encode(&Count(count)).expect("a count can be written");
        Stream { version: count, schema: 1, state: Some(state), ..Stream::default() }
    }

    fn kept(states: &mut States, key: &str, count: u64) {
        let written = Written::of(&stored(count), Arc::new(Count(count))).expect("it has a state");
        states.keep(vec![(stream(key), written)]);
    }

    #[test]
    fn a_state_goes_on_only_over_the_bytes_that_it_was_written_as() {
        let mut states = States::default();
        kept(&mut states, "a", 3);
        assert!(states.entry(&stream("a"), stored(3)).typed().is_some());
        assert!(states.entry(&stream("a"), stored(4)).typed().is_none(), "somebody else wrote it");
        assert!(states.entry(&stream("b"), stored(3)).typed().is_none());
        let newer = Stream { schema: 2, ..stored(3) };
        assert!(states.entry(&stream("a"), newer).typed().is_none());
        let fixed = Stream { fixed: Some(Bytes::from_static(b"1")), ..stored(3) };
        assert!(states.entry(&stream("a"), fixed).typed().is_none());
    }

    #[test]
    fn what_was_kept_long_ago_is_forgotten() {
        let mut states = States::default();
        (0..10_000).for_each(|number| kept(&mut states, &format!("s{number}"), 1));
        assert!(states.new.len() + states.old.len() <= 2 * MOST.0);
        assert!(states.entry(&stream("s9999"), stored(1)).typed().is_some());
        assert!(states.entry(&stream("s0"), stored(1)).typed().is_none());
    }
}
