//! One lane of one group: what waits, what is in flight, and who reads it.

use super::super::Settlement;
use crate::message::Limit;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    task::Waker,
};

/// What an entry costs beside its bytes, so that empty packs are bounded as well.
pub(super) const OVERHEAD: usize = 64;

/// How much room a pack takes in one lane.
pub(super) fn cost(bytes: &Bytes) -> usize {
    bytes.len() + OVERHEAD
}

/// Names a reader; never used twice in one wire.
pub(super) type ReaderId = u64;

/// A pack in flight: its place in the lane, and its bytes.
#[derive(Debug)]
struct Flying {
    place: u64,
    bytes: Bytes,
}

#[derive(Debug)]
pub(super) struct Reader {
    id: ReaderId,
    connection: u64,
    window: Limit,
    flying: BTreeMap<u64, Flying>,
    flying_bytes: usize,
    said_caught_up: bool,
    waker: Option<Waker>,
}

/// What a reader is told when it asks.
pub(super) enum Answer {
    /// Deliveries, by token, and whether nothing more waits.
    Brought(Vec<(u64, Bytes)>, bool),
    /// Nothing yet: its waker is kept.
    Wait,
    /// It does not read this lane any more.
    Gone,
}

/// The first reader is served; the others wait for it to leave.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// By place: what is released returns to where it stood.
    waiting: BTreeMap<u64, Bytes>,
    readers: VecDeque<Reader>,
    next_place: u64,
    held: usize,
}

impl Lane {
    /// The room that everything not yet acked takes.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many packs are not yet acked.
    pub(super) fn lag(&self) -> usize {
        self.waiting.len() + self.readers.iter().map(|reader| reader.flying.len()).sum::<usize>()
    }

    /// Adds a pack at the end. The waker is for the caller to wake, once it holds no lock.
    pub(super) fn push(&mut self, bytes: Bytes) -> Option<Waker> {
        self.held += cost(&bytes);
        self.waiting.insert(self.next_place, bytes);
        self.next_place += 1;
        self.wake_first()
    }

    /// Adds a reader behind those who are there.
    pub(super) fn join(&mut self, id: ReaderId, connection: u64, window: Limit) {
        self.readers.push_back(Reader {
            id,
            connection,
            window,
            flying: BTreeMap::new(),
            flying_bytes: 0,
            said_caught_up: false,
            waker: None,
        });
    }

    /// Brings what the reader may have, as [`super::super::Consumer::next_batch`] promises.
    pub(super) fn ask(&mut self, id: ReaderId, limit: Limit, tokens: &mut u64, waker: &Waker) -> Answer {
        let Some(place) = self.readers.iter().position(|reader| reader.id == id) else {
            return Answer::Gone;
        };
        let Some(reader) = self.readers.get_mut(place) else { return Answer::Gone };
        let served = place == 0;
        if served {
            let brought = reader.take(&mut self.waiting, limit, tokens);
            let caught_up = self.waiting.is_empty();
            if !brought.is_empty() {
                reader.said_caught_up = false;
                return Answer::Brought(brought, caught_up);
            }
            if caught_up && !reader.said_caught_up {
                reader.said_caught_up = true;
                return Answer::Brought(Vec::new(), true);
            }
        }
        reader.waker = Some(waker.clone());
        Answer::Wait
    }

    /// Settles one delivery; says how much room became free, or nothing when it is not this reader's.
    pub(super) fn settle(&mut self, id: ReaderId, token: u64, settlement: Settlement) -> Option<usize> {
        let reader = self.readers.iter_mut().find(|reader| reader.id == id)?;
        let Flying { place, bytes } = reader.flying.remove(&token)?;
        reader.flying_bytes -= bytes.len();
        match settlement {
            Settlement::Ack => {
                self.held -= cost(&bytes);
                Some(cost(&bytes))
            }
            Settlement::Release => {
                self.waiting.insert(place, bytes);
                Some(0)
            }
        }
    }

    /// Removes a reader and puts back what it had not settled. Says how many that were, or nothing when it
    /// was gone before; the waker is that of the reader who is served now.
    pub(super) fn leave(&mut self, id: ReaderId) -> Option<(usize, Option<Waker>)> {
        let place = self.readers.iter().position(|reader| reader.id == id)?;
        let reader = self.readers.remove(place)?;
        let released = reader.flying.len();
        self.waiting.extend(reader.flying.into_values().map(|flying| (flying.place, flying.bytes)));
        Some((released, self.wake_first()))
    }

    /// Whether it still is a reader here, served or not.
    pub(super) fn reads(&self, id: ReaderId) -> bool {
        self.readers.iter().any(|reader| reader.id == id)
    }

    /// Removes the readers of one connection; the wakers are theirs and that of the reader who is served now.
    pub(super) fn disconnect(&mut self, connection: u64) -> Vec<Waker> {
        let theirs = |reader: &&mut Reader| reader.connection == connection;
        let (ids, mut wakers): (Vec<_>, Vec<_>) =
            self.readers.iter_mut().filter(theirs).map(|reader| (reader.id, reader.waker.take())).unzip();
        wakers.extend(ids.into_iter().filter_map(|id| self.leave(id)).map(|(_, waker)| waker));
        wakers.into_iter().flatten().collect()
    }

    /// The wakers of all its readers, who are about to lose it.
    pub(super) fn wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.readers.iter_mut().filter_map(|reader| reader.waker.take())
    }

    fn wake_first(&mut self) -> Option<Waker> {
        self.readers.front_mut()?.waker.take()
    }
}

impl Reader {
    fn take(
        &mut self,
        waiting: &mut BTreeMap<u64, Bytes>,
        limit: Limit,
        tokens: &mut u64,
    ) -> Vec<(u64, Bytes)> {
        let mut brought = Vec::new();
        let mut size = 0;
        while let Some(next) = waiting.first_entry() {
            let bytes = next.get().len();
            let fits = brought.is_empty() || (brought.len() < limit.messages && size + bytes <= limit.bytes);
            if !fits || !self.has_room(bytes) {
                break;
            }
            let (place, bytes) = next.remove_entry();
            *tokens += 1;
            size += bytes.len();
            self.flying_bytes += bytes.len();
            self.flying.insert(*tokens, Flying { place, bytes: bytes.clone() });
            brought.push((*tokens, bytes));
        }
        brought
    }

    /// One delivery always fits, however large, or it would never be delivered.
    fn has_room(&self, bytes: usize) -> bool {
        self.flying.is_empty()
            || (self.flying.len() < self.window.messages && self.flying_bytes + bytes <= self.window.bytes)
    }
}
