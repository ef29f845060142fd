//! The port to where read models are kept: rows by key, and how far they have read, saved together.

use crate::{id::Name, message::GroupLane, store::StoreError};
use async_trait::async_trait;
use bytes::Bytes;

/// How many orders of its own a row may stand in, beside that of its key.
pub const MARKS: usize = 3;

/// The places of a row in the model's orders; where it has none it is not found by that order.
pub type Marks = [Option<Name>; MARKS];

/// One row of a read model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name, once in a generation.
    pub key: Name,
    /// Where it stands in the model's own orders. A mark ends with what is the row's alone, so no two rows share one.
    pub marks: Marks,
    /// What it says; opaque to whoever keeps it.
    pub body: Bytes,
}

/// One whole set of a model's rows, built from the first event on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// The model.
    pub model: Name,
    /// Which of its generations, from 1; a number is never given twice.
    pub number: u64,
}

/// What a generation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is being built; nobody is shown it.
    Building,
    /// It is the one that is shown.
    Live,
    /// Another has taken its place; its rows are on their way out.
    Gone,
}

/// A generation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub number: u64,
    /// What it is for.
    pub stage: Stage,
    /// The shape of its rows: what folds another shape builds a generation of its own.
    pub shape: u32,
    /// How often it was saved.
    pub saves: u64,
}

/// How far a generation has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// How often the generation was saved: names this checkpoint to [`ReadModels::save`].
    pub saves: u64,
    /// The position up to which each lane's log is in the rows; lanes without one begin at 0 (rule 11).
    pub cursors: Vec<(GroupLane, u64)>,
}

/// What one save writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Save {
    /// Rows that are new or other than before; each key once.
    pub rows: Vec<Row>,
    /// Keys of rows that are no more; never one of `rows`.
    pub gone: Vec<Name>,
    /// Lanes that were read further; the others stay where they are.
    pub cursors: Vec<(GroupLane, u64)>,
}

/// By what a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By key.
    Key,
    /// By the mark of this number, below [`MARKS`].
    Mark(usize),
}

/// Which rows a scan gives: those whose key or mark begins with `prefix` and is greater than `after`, by their bytes.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// By what.
    pub by: By,
    /// What they begin with; empty for all.
    pub prefix: &'a str,
    /// Where the last page ended; `None` for the first.
    pub after: Option<&'a str>,
    /// At most so many.
    pub limit: usize,
}

/// Keeps read models: everything here is derived from the event log, and may be built anew from it.
///
/// What a save confirmed is visible to every later call, and as durable as the events it was read from: never more, or a
/// checkpoint could name what the log has lost. A call that is dropped half-way has happened or not. Texts are ordered by
/// their bytes.
#[async_trait]
pub trait ReadModels: Send + Sync {
    /// The generations of a model, by number; one that is [`Stage::Gone`] may be missing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn generations(&self, model: &str) -> Result<Vec<Standing>, StoreError>;

    /// Gives the generation that is being built, or begins one after all others. One of another shape that was being built is
    /// gone then. So a build that was killed goes on where it stopped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn begin(&self, model: &str, shape: u32) -> Result<Generation, StoreError>;

    /// Shows a generation in the place of the one that was shown, at once for all readers. Repeated, it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is gone; [`StoreError::Unavailable`].
    async fn publish(&self, generation: &Generation) -> Result<(), StoreError>;

    /// Gives up a generation that is being built; one that is shown, or gone, stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn abandon(&self, generation: &Generation) -> Result<(), StoreError>;

    /// Removes up to `limit` rows of a model's generations that are gone, and says how many; 0 when nothing is left.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn discard(&self, model: &str, limit: usize) -> Result<usize, StoreError>;

    /// How far a generation has read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is gone; [`StoreError::Unavailable`].
    async fn checkpoint(&self, generation: &Generation) -> Result<Checkpoint, StoreError>;

    /// The rows of these keys, in their order; `None` where there is none, and everywhere when the generation is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn rows(&self, generation: &Generation, keys: &[Name]) -> Result<Vec<Option<Row>>, StoreError>;

    /// A page of rows, in order; empty when the generation is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn scan(&self, generation: &Generation, scan: Scan<'_>) -> Result<Vec<Row>, StoreError>;

    /// Writes rows and cursors together, or nothing, provided the generation was saved `saves` times until now: of two who
    /// read the same checkpoint, one saves.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else saved, or the generation is gone: read the checkpoint again.
    /// [`StoreError::Unavailable`]: whether it happened is unknown; the checkpoint tells. [`StoreError::Refused`] when a row
    /// can never be kept.
    async fn save(&self, generation: &Generation, saves: u64, save: Save) -> Result<(), StoreError>;
}
