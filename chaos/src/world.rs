//! The outside world of a round: providers that decline, waver, hang and refuse, and whose books no blow reaches.

use crate::failure::Failure;
use oms_broker::SystemClock;
use oms_core::{
    clock::Clock,
    gateway::{
        journal::{Journal, LedgerEntry, MemoryJournal},
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

    /// Puts the doors to this world into a house.
    pub(crate) fn furnish(&self, builder: Builder) -> Result<Builder, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (draws, windows) = (self.draws, self.windows);
        let books = || -> Arc<dyn Journal> { self.journal.clone() };
        let unread = |error| Failure::of("the providers' books cannot be read", error);
        let provider =
            || SimulatedProvider::open(draws, windows, Arc::clone(&clock), books()).map_err(unread);
        let carrier = SimulatedCarrier::open(draws, windows, Arc::clone(&clock), books()).map_err(unread)?;
        let notifier = SimulatedNotifier::open(draws, Arc::clone(&clock), books()).map_err(unread)?;
        Ok(builder
            .payment_method(Method::card(), provider()?)
            .payment_method(Method::upi(), provider()?)
            .carrier(carrier)
            .notifier(notifier))
    }

    /// The providers' own books, line by line.
    pub(crate) fn lines(&self) -> Result<Vec<LedgerEntry>, Failure> {
        self.journal.load().map_err(|error| Failure::of("the providers' books cannot be read", error))
    }
}
