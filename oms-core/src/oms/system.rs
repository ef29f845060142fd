//! The system as a value.

use crate::{
    broker::Topology,
    saga::SagaTimes,
    worker::{Health, Metrics, Parts, Placer, health},
};
use std::sync::Arc;

/// An order management system: five services and the user's own hearers over one store and one broker.
///
/// Cheap to clone; all clones are one. Placing and asking work at once; orders move while [`Oms::run`] or the futures of
/// [`Oms::tasks`] are driven, here or in another process on the same store.
#[derive(Clone)]
pub struct Oms {
    pub(super) parts: Arc<Parts>,
    pub(super) placer: Arc<Placer>,
    pub(super) times: Arc<SagaTimes>,
}

impl Oms {
    /// What the loops of this process have counted since it was built.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.parts.tally.read()
    }

    /// Who hears what in this installation, as the store has it: other processes' groups included.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.parts.topology
    }

    /// How the store, the broker and each gateway are, as far as the loops of this process know: outages with their
    /// beginning, tries and next try; the lanes held, the backlog, and what was taken from the store. Asks the store and the
    /// broker too, for a second at most, so that it is told of an outage while no loop runs.
    pub async fn health(&self) -> Health {
        health(&self.parts).await
    }
}
