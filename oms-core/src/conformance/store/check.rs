//! One check of a store: a sentence of the contract, and how it is proved.

use super::{
    harness::Harness,
    kit::{Failure, Kit},
};
use crate::store::StoreCapabilities;
use futures::future::BoxFuture;

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
    pub(super) const fn new(id: &'static str, name: &'static str, run: Run) -> Self {
        Self { id, name, needs: Need::Nothing, run }
    }

    pub(super) const fn needing(self, needs: Need) -> Self {
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
