//! Sagas in flight: the phase each open order is in and since when, and how many are in each.

use crate::{
    clock::Timestamp,
    event::{Wire, WireError, order::OrderEvent},
    id::Name,
    order::Phase,
    projection::{
        Course,
        model::{contract::Model, day::sortable, port::Marks, shares::Shares},
    },
    store::Recorded,
};
use serde::{Deserialize, Serialize};

/// The saga of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saga {
    /// Where it stands.
    pub course: Course,
    /// Since when it is in this phase.
    pub since: Timestamp,
    /// The newest event.
    pub newest: String,
}

/// The mark of the sagas that have not ended, the longest in its phase first, and its prefix.
#[must_use]
pub fn in_flight() -> (usize, &'static str) {
    (0, "")
}

/// The model `sagas`: a row for each order, in the list while it has not ended, and a sum for each phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct SagaModel;

impl Model for SagaModel {
    type State = Saga;
    const NAME: &'static str = "sagas";
    const SHAPE: u32 = 1;
    const KINDS: &'static [&'static str] = &["order"];
    const GROUPS: &'static [&'static str] = &["place", "order"];

    fn apply(&self, _: &Name, saga: &mut Saga, recorded: &Recorded) -> Result<(), WireError> {
        let event = &recorded.event;
        let before = saga.course.phase();
        saga.course.apply(&OrderEvent::decode(&event.kind, event.schema, &event.body)?);
        if saga.course.phase() != before {
            saga.since = recorded.time;
        }
        saga.newest.clear();
        saga.newest.push_str(&event.kind);
        Ok(())
    }

    fn marks(&self, id: &Name, saga: &Saga) -> Marks {
        let open = !saga.course.phase().is_terminal() && saga.course.phase() != Phase::Unplaced;
        let mark = open.then(|| Name::from(format!("{}\u{1f}{id}", sortable(saga.since))));
        [mark, None, None]
    }

    fn share(&self, _: &Name, saga: &Saga, shares: &mut Shares) {
        shares.add(&saga.course.phase().to_string(), "orders", 1);
    }
}
