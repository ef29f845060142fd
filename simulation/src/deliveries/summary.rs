//! What of a commit the book wants to know.

use crate::mark::Mark;
use oms_core::{
    event::incident::INCIDENT,
    id::{Name, StreamId},
    message::Pack,
    store::{Consumed, Deadline, Write, Writes},
};

/// What of a commit the book wants to know, kept while the writes are given away.
pub(crate) struct Summary {
    pub(super) packs: Vec<Pack>,
    pub(super) consumed: Vec<Consumed>,
    pub(super) events: usize,
    pub(super) ended: Vec<(Name, Mark)>,
    pub(super) deadlines: Vec<(StreamId, Deadline)>,
    /// Whether something was buried because the store never takes it.
    pub(crate) condemned: bool,
    /// How many orders it placed.
    pub(crate) placed: usize,
    /// Whether something was parked, and whether behind its key.
    pub(crate) parked: Vec<bool>,
    /// How many messages it buried.
    pub(crate) buried: usize,
    /// How many wishes it withdrew.
    pub(crate) withdrawn: usize,
}

impl Summary {
    /// Sums up what a turn wants to write.
    #[must_use]
    pub(crate) fn of(writes: &Writes) -> Self {
        let counted = writes.streams.iter().filter(|write| &*write.stream.kind != INCIDENT);
        let orders = || writes.streams.iter().filter(|write| &*write.stream.kind == "order");
        let ended = orders().flat_map(|write| {
            let marks = write.events.iter().filter_map(|event| mark(&event.kind));
            marks.map(|mark| (write.stream.id.clone(), mark))
        });
        Self {
            packs: writes.packs.clone(),
            consumed: writes.consumed.clone(),
            events: counted.map(|write| write.events.len()).sum(),
            ended: ended.collect(),
            deadlines: writes.streams.iter().filter_map(deadline).collect(),
            condemned: writes.buried.iter().any(|buried| buried.error.contains("the store refuses")),
            placed: orders().filter(|write| write.expected == 0).count(),
            parked: writes.parked.iter().map(|parked| parked.attempts == 0).collect(),
            buried: writes.buried.len(),
            withdrawn: writes.withdrawn.len(),
        }
    }

    /// What it consumed.
    #[must_use]
    pub(crate) fn consumed(&self) -> &[Consumed] {
        &self.consumed
    }
}

fn deadline(write: &Write) -> Option<(StreamId, Deadline)> {
    let deadline = write.next.deadline.as_ref().filter(|deadline| deadline.set_at > write.expected)?;
    Some((write.stream.clone(), deadline.clone()))
}

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} events", self.events)?;
        for pack in &self.packs {
            write!(out, ", sends {} to {}", pack.id, pack.topic)?;
        }
        write!(out, ", parks {}, buries {}", self.parked.len(), self.buried)
    }
}

fn mark(kind: &str) -> Option<Mark> {
    match kind {
        "OrderCompleted" => Some(Mark::Completed),
        "OrderFailed" => Some(Mark::Failed),
        "OrderCancelled" => Some(Mark::Cancelled),
        "OrderNeedsAttention" => Some(Mark::NeedsAttention),
        _ => None,
    }
}
