//! What a read model is: a plain fold over each subject's events, with its places in lists and its share of the sums.

use super::{port::Marks, shares::Shares};
use crate::{event::WireError, id::Name, store::Recorded};
use serde::{Serialize, de::DeserializeOwned};

/// A read model as plain functions: every subject (an order, a SKU: whatever streams of [`Model::KINDS`] are named after) has
/// a state, folded from its events alone.
///
/// The events of one stream come in its order, each once; those of different streams in any. So the state must be the same in
/// whatever order the streams of a subject are interleaved. Nothing here reads a clock, waits, or tells anybody anything:
/// folding again emits no side effect.
///
/// ```
/// use oms_core::{event::WireError, id::Name, projection::model::{Fold, Model, Projection}, store::Recorded};
/// struct Notices;
/// impl Model for Notices {
///     type State = u64;
///     const NAME: &'static str = "notices";
///     const SHAPE: u32 = 1;
///     const KINDS: &'static [&'static str] = &["notification"];
///     const GROUPS: &'static [&'static str] = &["notification"];
///     fn apply(&self, _: &Name, sent: &mut u64, _: &Recorded) -> Result<(), WireError> {
///         *sent += 1;
///         Ok(())
///     }
/// }
/// assert_eq!(Fold::of(Notices).name(), "notices");
/// ```
pub trait Model: Send + Sync + 'static {
    /// What is known of one subject; written as JSON.
    type State: Default + Serialize + DeserializeOwned + Send + Sync;

    /// Its name, for ever.
    const NAME: &'static str;

    /// Raised with every change of what is folded or written: the model is then built anew.
    const SHAPE: u32;

    /// The kinds of the streams that it reads.
    const KINDS: &'static [&'static str];

    /// The groups whose turns write such streams.
    const GROUPS: &'static [&'static str];

    /// Applies an event to the state of the subject `id`.
    ///
    /// # Errors
    /// [`WireError`] when it cannot be read; the state is then as it was, and the stream stops there.
    fn apply(&self, id: &Name, state: &mut Self::State, recorded: &Recorded) -> Result<(), WireError>;

    /// Where the subject stands in the model's own orders; nowhere unless it says so.
    fn marks(&self, id: &Name, state: &Self::State) -> Marks {
        let _ = (id, state);
        Marks::default()
    }

    /// Adds what the subject counts for in the sums over all subjects; nothing unless it says so.
    fn share(&self, id: &Name, state: &Self::State, shares: &mut Shares) {
        let _ = (id, state, shares);
    }
}
