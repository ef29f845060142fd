//! The streams in a handler's hands, with states that are decoded once and encoded once per turn.

use super::Fault;
use crate::{
    event::Wire,
    id::{read_json, write_json},
    store::{Event, Stream, StreamId},
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// A typed aggregate: its state, and the fold over its events.
///
/// The state holds no time, message id, attempt count or version, and nothing that is neither serialised nor fixed: a lane
/// may go on with the value it wrote, or read it again. `evolve` never fails: an event that was recorded has happened.
pub trait Aggregate: Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The version of the state's shape.
    const SCHEMA: u16;

    /// Its events.
    type Event: Wire;

    /// Applies one event.
    fn evolve(&mut self, event: &Self::Event);

    /// What never changes once given, encoded: stored once, not with every row. Left out of the serialised state.
    fn fixed(&self) -> Option<Bytes> {
        None
    }

    /// Takes back what [`Aggregate::fixed`] gave.
    ///
    /// # Errors
    /// When it cannot be read.
    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        let _ = fixed;
        Ok(())
    }
}

/// An aggregate without its type.
pub trait State: Send + Sync {
    /// Encodes it, without what is fixed.
    ///
    /// # Errors
    /// When it cannot be encoded, which no type of this library causes.
    fn encode(&self) -> Result<Bytes, serde_json::Error>;

    /// What is fixed.
    fn fixed(&self) -> Option<Bytes>;

    /// The version of its shape.
    fn schema(&self) -> u16;

    /// Its type again.
    fn any(&self) -> &(dyn Any + Send + Sync);
}

impl<A: Aggregate> State for A {
    fn encode(&self) -> Result<Bytes, serde_json::Error> {
        write_json(self)
    }

    fn fixed(&self) -> Option<Bytes> {
        Aggregate::fixed(self)
    }

    fn schema(&self) -> u16 {
        A::SCHEMA
    }

    fn any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// A loaded stream, and its decoded state once somebody looked.
#[derive(Clone, Default)]
pub struct Entry {
    /// As it was loaded, or as the turn has changed it; `stream.state` lags behind `typed` until the commit.
    pub stream: Stream,
    typed: OnceLock<Arc<dyn State>>,
}

impl Entry {
    /// Wraps a stream as loaded.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream, typed: OnceLock::new() }
    }

    /// Replaces the state after events were appended; for the worker.
    pub fn advance(&mut self, version: u64, next: Arc<dyn State>) {
        self.stream.version = version;
        self.stream.schema = next.schema();
        self.typed = OnceLock::from(next);
    }

    /// The state that was decoded or put here, if any.
    #[must_use]
    pub fn typed(&self) -> Option<&Arc<dyn State>> {
        self.typed.get()
    }

    /// The state as an `A`; the default one for a stream that was never written.
    ///
    /// # Errors
    /// [`Fault::Newer`] when a newer binary wrote it, [`Fault::Permanent`] when it cannot be read.
    pub fn state<A: Aggregate>(&self) -> Result<&A, Fault> {
        if self.typed.get().is_none() {
            let read: Arc<dyn State> = Arc::new(self.read::<A>()?);
            // Another look may have filled it in between, with the same state.
            let _ = self.typed.set(read);
        }
        let typed = self.typed.get().and_then(|state| state.any().downcast_ref());
        typed.ok_or_else(|| Fault::Permanent("a stream was read as two different aggregates".to_owned()))
    }

    fn read<A: Aggregate>(&self) -> Result<A, Fault> {
        let Some(bytes) = &self.stream.state else { return Ok(A::default()) };
        if self.stream.schema > A::SCHEMA {
            return Err(Fault::Newer(format!("state schema {} over {}", self.stream.schema, A::SCHEMA)));
        }
        let unreadable =
            |error: serde_json::Error| Fault::Permanent(format!("the stored state cannot be read: {error}"));
        let mut state: A = read_json(bytes).map_err(unreadable)?;
        if let Some(fixed) = &self.stream.fixed {
            state.restore(fixed).map_err(unreadable)?;
        }
        Ok(state)
    }

    /// Folds one recorded event onto this entry's state as an `A`; what [`super::Handler::evolve`] does for a typed stream.
    ///
    /// # Errors
    /// As [`Entry::state`], and when the event cannot be read.
    pub fn evolved<A: Aggregate>(&self, event: &Event) -> Result<Arc<dyn State>, Fault> {
        let mut state = self.state::<A>()?.clone();
        state.evolve(&A::Event::decode(&event.kind, event.schema, &event.body)?);
        Ok(Arc::new(state))
    }
}

/// The streams of a batch, by id.
#[derive(Clone, Default)]
pub struct Loaded(pub BTreeMap<StreamId, Entry>);

impl Loaded {
    /// The entry of a stream; `None` when it was not loaded.
    #[must_use]
    pub fn get(&self, stream: &StreamId) -> Option<&Entry> {
        self.0.get(stream)
    }

    /// The version and state of a stream as an `A`; `None` when it was not loaded.
    ///
    /// # Errors
    /// As [`Entry::state`].
    pub fn state<A: Aggregate>(&self, stream: &StreamId) -> Result<Option<&A>, Fault> {
        self.get(stream).map(Entry::state::<A>).transpose()
    }
}
