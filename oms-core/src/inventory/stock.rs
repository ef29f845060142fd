//! The units of one SKU.

use crate::event::inventory::StockEvent;
use serde::{Deserialize, Serialize};

/// What there is of a SKU. Held and committed units are both `taken`: a commit touches no SKU.
///
/// The rules keep `0 <= taken <= on_hand`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Units in the house, those taken included.
    pub on_hand: i64,
    /// Units held or committed for orders.
    pub taken: i64,
}

impl Stock {
    /// Units that can still be had.
    #[must_use]
    pub fn available(self) -> i64 {
        self.on_hand.saturating_sub(self.taken)
    }

    /// What would be on hand after a change by `delta`; `None` when that overflows or takes away what is taken.
    #[must_use]
    pub fn adjusted(self, delta: i64) -> Option<i64> {
        self.on_hand.checked_add(delta).filter(|on_hand| *on_hand >= self.taken)
    }

    /// Applies one recorded event.
    pub fn evolve(&mut self, event: &StockEvent) {
        match event {
            StockEvent::StockAdjusted(adjusted) => {
                self.on_hand = self.on_hand.saturating_add(adjusted.delta);
            }
            StockEvent::UnitsTaken(moved) => self.taken = self.taken.saturating_add(units(moved.units)),
            StockEvent::UnitsReturned(moved) => self.taken = self.taken.saturating_sub(units(moved.units)),
            StockEvent::UnitsConsumed(moved) => {
                self.taken = self.taken.saturating_sub(units(moved.units));
                self.on_hand = self.on_hand.saturating_sub(units(moved.units));
            }
        }
    }
}

fn units(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
