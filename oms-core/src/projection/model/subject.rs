//! Subjects: the state of one of them, with how far each of its streams was read.

use super::{contract::Model, port::Marks, shares::Shares};
use crate::{
    id::{Name, read_json, write_json},
    store::Recorded,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is in the state now.
    Applied,
    /// It was already, or its stream had stopped before it.
    Known,
    /// The one before it has not come yet: hold it back.
    Early,
    /// It cannot be read: its stream stops here, and says why.
    Stopped(String),
}

/// One subject of a model, without its types.
pub trait Subject: Send + Sync {
    /// Hears the next event of the stream of the model's `kind`-th kind.
    fn hear(&mut self, kind: usize, recorded: &Recorded) -> Heard;

    /// Stops the stream of the `kind`-th kind where it is.
    fn stop(&mut self, kind: usize, why: String);

    /// The version up to which the stream of the `kind`-th kind is in the state.
    fn version(&self, kind: usize) -> u64;

    /// Its row's body.
    ///
    /// # Errors
    /// When the state cannot be written as JSON.
    fn body(&self) -> Result<Bytes, serde_json::Error>;

    /// Its row's marks.
    fn marks(&self) -> Marks;

    /// What it counts for.
    fn shares(&self) -> Shares;
}

/// The row of a subject as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body<S> {
    /// The version up to which each stream is in the state, in the order of the model's kinds.
    pub versions: Vec<u64>,
    /// Why streams stopped, by the place of their kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stopped: BTreeMap<usize, String>,
    /// The state.
    pub state: S,
}

impl<S: for<'de> Deserialize<'de>> Body<S> {
    /// Reads a row's body.
    ///
    /// # Errors
    /// When it is no row of this shape.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        read_json(body)
    }
}

/// One subject of a model with its types.
pub(super) struct Folded<M: Model> {
    model: Arc<M>,
    id: Name,
    body: Body<M::State>,
}

impl<M: Model> Folded<M> {
    pub(super) fn new(model: Arc<M>, id: Name) -> Self {
        let (versions, stopped, state) = (vec![0; M::KINDS.len()], BTreeMap::new(), M::State::default());
        Self { model, id, body: Body { versions, stopped, state } }
    }

    pub(super) fn read(model: Arc<M>, id: Name, body: &[u8]) -> Result<Self, serde_json::Error> {
        let mut body: Body<M::State> = Body::read(body)?;
        body.versions.resize(M::KINDS.len(), 0);
        Ok(Self { model, id, body })
    }
}

impl<M: Model> Subject for Folded<M> {
    fn hear(&mut self, kind: usize, recorded: &Recorded) -> Heard {
        let version = self.version(kind);
        if recorded.version <= version || self.body.stopped.contains_key(&kind) {
            return Heard::Known;
        }
        if recorded.version > version + 1 {
            return Heard::Early;
        }
        match self.model.apply(&self.id, &mut self.body.state, recorded) {
            Ok(()) => {
                if let Some(version) = self.body.versions.get_mut(kind) {
                    *version += 1;
                }
                Heard::Applied
            }
            Err(error) => {
                let mut why = format!("{} version {}: {error}", recorded.stream, recorded.version);
                if let Some(source) = std::error::Error::source(&error) {
                    why = format!("{why}: {source}");
                }
                self.stop(kind, why.clone());
                Heard::Stopped(why)
            }
        }
    }

    fn stop(&mut self, kind: usize, why: String) {
        self.body.stopped.insert(kind, why);
    }

    fn version(&self, kind: usize) -> u64 {
        self.body.versions.get(kind).copied().unwrap_or(0)
    }

    fn body(&self) -> Result<Bytes, serde_json::Error> {
        write_json(&self.body)
    }

    fn marks(&self) -> Marks {
        self.model.marks(&self.id, &self.body.state)
    }

    fn shares(&self) -> Shares {
        let mut shares = Shares::default();
        self.model.share(&self.id, &self.body.state, &mut shares);
        shares
    }
}
