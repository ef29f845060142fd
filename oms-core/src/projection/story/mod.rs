//! The story of one order: what was said, tried and undone, told by its events alone, for a person to read.
//!
//! ```
//! use oms_core::{event::public::Status, id::order_id, projection::story::Story};
//! let story = Story::new(order_id("shop", "1"), Status::Pending, Vec::new(), Vec::new());
//! assert!(story.to_string().contains("pending"));
//! ```

mod chain;
mod entry;
mod show;
#[cfg(test)]
mod tests;
pub(super) mod words;

pub(super) use chain::in_order;
pub use entry::{Entry, Running};

use super::{
    facts::{Facts, ORDER_KINDS},
    read::history,
};
use crate::{
    event::{
        incident::{self, INCIDENT},
        public::Status,
    },
    id::{Name, OrderId, StreamId},
    store::{Recorded, Store, StoreError, Waiting},
};
use serde::Serialize;

/// How many things in flight are shown at most.
const MOST_WAITING: usize = 100;

/// The whole story of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The order.
    pub order: OrderId,
    /// Where it stands.
    pub status: Status,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// What is still running.
    pub running: Vec<Running>,
}

impl Story {
    /// Tells a story from what was recorded of an order, in whatever order it was read, and what waits.
    #[must_use]
    pub fn new(order: OrderId, status: Status, recorded: Vec<Recorded>, waiting: Vec<Waiting>) -> Self {
        let entries = chain::in_order(recorded).into_iter().map(|(recorded, because)| Entry {
            time: recorded.time,
            service: Name::clone(&recorded.lane.group),
            kind: Name::clone(&recorded.event.kind),
            words: words::of(&recorded),
            cause: recorded.cause,
            because,
        });
        let running = waiting.iter().map(words::running);
        Self { order, status, entries: entries.collect(), running: running.collect() }
    }
}

/// Reads the story of an order; one without entries when it was never placed.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn story(store: &dyn Store, order: &OrderId) -> Result<Story, StoreError> {
    let recorded = recorded(store, order).await?;
    let mut facts = Facts::new(order.clone());
    recorded.iter().for_each(|event| facts.add(event));
    let waiting = store.waiting(Some(order.as_str()), MOST_WAITING).await?;
    Ok(Story::new(order.clone(), facts.status(), recorded, waiting))
}

/// Reads everything recorded of an order, stream by stream, notices and incidents included.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub(super) async fn recorded(store: &dyn Store, order: &OrderId) -> Result<Vec<Recorded>, StoreError> {
    let mut recorded = Vec::new();
    for kind in ORDER_KINDS.iter().chain(&["notification"]) {
        recorded.extend(history(store, &StreamId::keyed(kind, order.as_str())).await?);
    }
    recorded.extend(incidents(store, order).await?);
    Ok(recorded)
}

/// Reads the incidents of an order in every group that ever had one: a jump for each group, not a walk over all incidents.
async fn incidents(store: &dyn Store, order: &OrderId) -> Result<Vec<Recorded>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let next = store.streams(INCIDENT, after.as_deref(), 1).await?;
        let Some((id, _)) = next.first() else { return Ok(found) };
        let Some((group, _)) = id.id.split_once(':') else {
            after = Some(id.id.to_string());
            continue;
        };
        found.extend(history(store, &incident::stream(group, order.as_str())).await?);
        // `;` is the character after `:`, so nothing of this group is greater than this.
        after = Some(format!("{group};"));
    }
}
