//! How large a run is.

use crate::{house::Keep, load::Load};
use oms_sqlite::Synchronous;
use std::time::Duration;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Rounds of everything that is compared.
    pub rounds: usize,
    /// Orders of a run over memory at full load; other runs are a part of it.
    pub orders: usize,
    /// Orders on their way at full load.
    pub window: usize,
    /// Orders that a house holds in the end when its memory is measured.
    pub open: usize,
    /// How long orders come in a run at most.
    pub most: Duration,
    /// Starts of each kind.
    pub starts: usize,
    /// Whether the figures only show that it works.
    pub is_quick: bool,
}

impl Scale {
    /// For figures that count.
    #[must_use]
    pub fn full() -> Self {
        let most = Duration::from_secs(6);
        Self { rounds: 5, orders: 20_000, window: 1_000, open: 1_000_000, most, starts: 40, is_quick: false }
    }

    /// For a look.
    #[must_use]
    pub fn quick() -> Self {
        let most = Duration::from_secs(2);
        Self { rounds: 2, orders: 2_000, window: 500, open: 20_000, most, starts: 20, is_quick: true }
    }

    /// For a test: a few orders through everything.
    #[must_use]
    pub fn tiny() -> Self {
        let most = Duration::from_millis(500);
        Self { rounds: 1, orders: 20, window: 10, open: 30, most, starts: 2, is_quick: true }
    }

    /// Full load over a store: fewer orders where each takes longer.
    #[must_use]
    pub fn full_load(&self, keep: &Keep) -> Load {
        let orders = match keep {
            Keep::Memory => self.orders,
            Keep::Sqlite(_) | Keep::File(..) | Keep::Postgres(_) => self.orders / 2,
        };
        Load { orders, window: self.window, warm: self.window, most: self.most, ..Load::default() }
    }

    /// One order at a time.
    #[must_use]
    pub fn one_in_flight(&self, keep: &Keep) -> Load {
        let orders = match keep {
            Keep::Memory => self.orders / 10,
            Keep::Sqlite(_) | Keep::File(..) | Keep::Postgres(_) => self.orders / 40,
        };
        Load { orders: orders.max(5), window: 1, warm: 5, most: self.most, ..Load::default() }
    }
}

/// Memory, and SQLite as it comes.
#[must_use]
pub fn stores() -> [Keep; 2] {
    [Keep::Memory, Keep::Sqlite(Synchronous::Full)]
}
