//! What all clones of one memory store, and its open turns, share.

use super::state::State;
use crate::{
    clock::Clock,
    message::GroupLane,
    store::{StreamId, locks::Locks},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One store, whoever holds it.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Mutex<State>,
    pub(super) lanes: Locks<GroupLane>,
    pub(super) shared: Locks<StreamId>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
