//! The turns that are open: they end with their process, or when it stands still for too long, as a database would end them.

use crate::lock::locked;
use oms_core::store::Turn;
use std::sync::{Arc, Mutex, Weak};

/// An open turn, until it is ended.
pub(crate) type Held = Mutex<Option<Box<dyn Turn>>>;
/// What the turn's own task holds of it.
pub(crate) type Slot = Arc<Held>;

/// The turns that are open, by process.
#[derive(Default)]
pub(crate) struct OpenTurns(Mutex<Vec<(usize, Weak<Held>)>>);

impl OpenTurns {
    /// Notes a turn of a process.
    pub(crate) fn add(&self, process: usize, slot: &Slot) {
        let mut open = locked(&self.0);
        open.retain(|(_, slot)| slot.strong_count() > 0);
        open.push((process, Arc::downgrade(slot)));
    }

    /// Ends the turns of a process whose client has not moved for too long; gives how many.
    pub(crate) fn time_out(&self, process: usize) -> usize {
        let open: Vec<_> = locked(&self.0).drain(..).collect();
        let (ended, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|(owner, _)| *owner == process);
        *locked(&self.0) = rest;
        let slots = ended.into_iter().filter_map(|(_, slot)| slot.upgrade());
        slots.filter(|slot| locked(slot).take().is_some()).count()
    }
}
