//! The outside world, which no crash of ours touches: the simulated providers, and what their lines remember.

use crate::{lock::locked, plan::Plan};
use oms_core::{
    clock::Clock,
    gateway::{
        EffectKey,
        journal::MemoryJournal,
        simulated::{SimulatedCarrier, SimulatedNotifier, SimulatedProvider},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// A second doing of a wish by a forgetful provider is written under an attempt that is so much greater.
pub(crate) const AGAIN: u32 = 1_000;

/// What a line remembers of its wishes.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) tried: BTreeSet<EffectKey>,
    pub(crate) refused: BTreeSet<EffectKey>,
    pub(crate) told: BTreeMap<EffectKey, u32>,
    pub(crate) answered: BTreeSet<EffectKey>,
    pub(crate) twice: BTreeSet<EffectKey>,
}

/// The providers of a world, which no crash of ours touches.
pub(crate) struct Providers {
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) payment: Arc<SimulatedProvider>,
    pub(crate) carrier: Arc<SimulatedCarrier>,
    pub(crate) notifier: Arc<SimulatedNotifier>,
    pub(crate) calls: Mutex<Calls>,
    /// What a provider was told twice under new keys, and has not done yet; for a planted bug.
    pub(crate) doubled: Mutex<BTreeSet<EffectKey>>,
}

impl Providers {
    pub(crate) fn new(plan: &Plan, clock: Arc<dyn Clock>) -> Self {
        let journal = Arc::new(MemoryJournal::default());
        let (draws, windows) = (plan.draws, plan.windows);
        let books = || journal.clone();
        Self {
            payment: Arc::new(fresh(SimulatedProvider::open(draws, windows, clock.clone(), books()))),
            carrier: Arc::new(fresh(SimulatedCarrier::open(draws, windows, clock.clone(), books()))),
            notifier: Arc::new(fresh(SimulatedNotifier::open(draws, clock, books()))),
            journal,
            calls: Mutex::default(),
            doubled: Mutex::default(),
        }
    }
}

impl Providers {
    /// Whether a wish has reached its provider before.
    pub(crate) fn was_told(&self, key: &EffectKey) -> bool {
        locked(&self.calls).told.contains_key(key)
    }
}

/// A journal in memory that nobody has written is always readable.
#[expect(clippy::panic, reason = "an empty journal in memory cannot fail to be read")]
fn fresh<P, E: std::fmt::Display>(opened: Result<P, E>) -> P {
    opened.unwrap_or_else(|error| panic!("{error}"))
}
