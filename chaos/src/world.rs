//! The outside world of a round: providers that decline, waver, hang and refuse, and whose books no blow reaches.

use crate::failure::Failure;
use oms_broker::SystemClock;
use oms_core::{
    clock::Clock,
    gateway::{
        journal::{Journal, JournalError, LedgerEntry, MemoryJournal},
        simulated::{Draws, SimulatedCarrier, SimulatedNotifier, SimulatedProvider, Windows},
    },
    oms::Builder,
    payment::Method,
};
use std::{sync::Arc, time::Duration};

/// What providers do, and what they have done.
pub(crate) struct World {
    draws: Draws,
    windows: Windows,
    journal: Arc<MemoryJournal>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let draws = Draws::new(seed).declining(50_000).wavering(100_000, 500_000);
        let windows = Windows {
            approval: Duration::from_millis(200),
            late: Duration::from_millis(500),
            dispatch: Duration::from_millis(50),
            delivery: Duration::from_millis(100),
        };
        Self { draws: draws.refusing(20_000).hanging(100_000), windows, journal: Arc::default() }
    }

    pub(crate) fn provider(&self) -> Result<SimulatedProvider, Failure> {
        SimulatedProvider::open(self.draws, self.windows, clock(), self.books()).map_err(unread)
    }

    pub(crate) fn carrier(&self) -> Result<SimulatedCarrier, Failure> {
        SimulatedCarrier::open(self.draws, self.windows, clock(), self.books()).map_err(unread)
    }

    pub(crate) fn notifier(&self) -> Result<SimulatedNotifier, Failure> {
        SimulatedNotifier::open(self.draws, clock(), self.books()).map_err(unread)
    }

    /// Puts the doors to this world into a house of the same process.
    pub(crate) fn furnish(&self, builder: Builder) -> Result<Builder, Failure> {
        Ok(builder
            .payment_method(Method::card(), self.provider()?)
            .payment_method(Method::upi(), self.provider()?)
            .carrier(self.carrier()?)
            .notifier(self.notifier()?))
    }

    fn books(&self) -> Arc<dyn Journal> {
        self.journal.clone()
    }

    /// The providers' own books, line by line.
    pub(crate) fn lines(&self) -> Result<Vec<LedgerEntry>, Failure> {
        self.journal.load().map_err(unread)
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn unread(error: JournalError) -> Failure {
    Failure::of("the providers' books cannot be read", error)
}
