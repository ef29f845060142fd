//! What every store must prove: one check for each sentence of the contract.

mod deadlines;
mod effects;
mod installation;
mod kit;
mod lanes;
mod owed;
mod parking;
mod streams;

pub use kit::{Failure, Kit};

use super::VirtualClock;
use crate::store::{Store, StoreCapabilities, StoreError};
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::{fmt, sync::Arc};

/// Gives the suite stores to look at.
///
/// ```
/// use oms_core::{conformance::{Stage, VirtualClock, store::{Harness, Outcome, checks}}, store::*};
/// use futures::future::{BoxFuture, FutureExt, ready};
/// use std::sync::Arc;
/// struct Memory(VirtualClock);
/// #[async_trait::async_trait]
/// impl Harness for Memory {
///     async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
///         Ok(Arc::new(MemoryStore::new(Arc::new(self.0.clone()))))
///     }
///     async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> { Ok(store) }
///     fn clock(&self) -> VirtualClock { self.0.clone() }
///     fn pause(&self) -> BoxFuture<'static, ()> { ready(()).boxed() }
/// }
/// let stage = Stage::default();
/// let outcome = stage.run(checks()[0].run(&Memory(stage.clock())));
/// assert_eq!(outcome, Ok(Outcome::Passed));
/// ```
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens an empty store that lives by [`Harness::clock`].
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError>;

    /// Drops `store` and opens the same again, as after a kill. Called only where [`StoreCapabilities::survives_kill`].
    ///
    /// # Errors
    /// When it cannot be opened: the check fails.
    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError>;

    /// The clock of its stores.
    fn clock(&self) -> VirtualClock;

    /// Waits, in real time, for as long as a call takes that waits for nobody. Dropped, it has no effect.
    fn pause(&self) -> BoxFuture<'static, ()>;
}

/// What a check needs of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing beyond the port.
    Nothing,
    /// [`StoreCapabilities::survives_kill`].
    SurvivesKill,
}

impl Need {
    /// Whether a store has it.
    #[must_use]
    pub fn is_met(self, capabilities: &StoreCapabilities) -> bool {
        match self {
            Need::Nothing => true,
            Need::SurvivesKill => capabilities.survives_kill,
        }
    }
}

type Run = for<'a> fn(&'a Kit<'a>) -> BoxFuture<'a, Result<(), Failure>>;

/// One sentence of the contract, and how it is proved.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its id; never given to another sentence.
    pub id: &'static str,
    /// The sentence.
    pub name: &'static str,
    /// What the store must be able to do.
    pub needs: Need,
    run: Run,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store keeps the sentence.
    Passed,
    /// It does not, and how that was seen.
    Failed(String),
    /// The store declares that it cannot do this.
    NotApplicable(Need),
}

impl Check {
    const fn new(id: &'static str, name: &'static str, run: Run) -> Self {
        Self { id, name, needs: Need::Nothing, run }
    }

    const fn needing(self, needs: Need) -> Self {
        Self { needs, ..self }
    }

    /// Runs it over a fresh store. Dropped half-way, nothing is known.
    pub async fn run(&self, harness: &dyn Harness) -> Outcome {
        match self.attempt(harness).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Failed(failure.to_string()),
        }
    }

    async fn attempt(&self, harness: &dyn Harness) -> Result<Outcome, Failure> {
        let kit = Kit::open(harness).await?;
        if !self.needs.is_met(&kit.store.capabilities()) {
            return Ok(Outcome::NotApplicable(self.needs));
        }
        (self.run)(&kit).await?;
        Ok(Outcome::Passed)
    }
}

/// All checks, in the order in which they are best read.
#[must_use]
pub fn checks() -> Vec<Check> {
    let rooms = [
        owed::CHECKS,
        lanes::CHECKS,
        streams::CHECKS,
        parking::CHECKS,
        deadlines::CHECKS,
        effects::CHECKS,
        installation::CHECKS,
    ];
    rooms.concat()
}

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The check's id.
    pub id: &'static str,
    /// The sentence.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(out, "ok   {} {}", self.id, self.name),
            Outcome::Failed(why) => write!(out, "FAIL {} {}: {why}", self.id, self.name),
            Outcome::NotApplicable(need) => {
                write!(out, "n/a  {} {}: the store declares that it lacks {need:?}", self.id, self.name)
            }
        }
    }
}

/// Runs all checks, one after the other.
pub async fn run(harness: &dyn Harness) -> Vec<Report> {
    let mut reports = Vec::new();
    for check in checks() {
        reports.push(Report { id: check.id, name: check.name, outcome: check.run(harness).await });
    }
    reports
}
