//! Incidents: what is recorded of messages that were given up, in a stream of core's own (rule 24).

use super::{
    draft::Draft,
    seal::{SealError, write},
};
use crate::{
    event::{
        Wire, WireError,
        incident::{IncidentEvent, stream},
    },
    id::{MessageId, Name, StreamId},
    service::{Aggregate, Append, Entry, State},
    store::{DeadLetter, Event, StoreError, Stream, Write},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// How often something was given up, handled after all, asked for again, or replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Incidents {
    buried: u64,
    redriven: u64,
    #[serde(default)]
    requested: u64,
    #[serde(default)]
    replaced: u64,
}

impl Aggregate for Incidents {
    const SCHEMA: u16 = 1;
    type Event = IncidentEvent;

    fn evolve(&mut self, event: &IncidentEvent) {
        match event {
            IncidentEvent::MessageBuried(_) => self.buried += 1,
            IncidentEvent::MessageRedriven(_) => self.redriven += 1,
            IncidentEvent::RedriveRequested(_) => self.requested += 1,
            IncidentEvent::MessageReplaced(_) => self.replaced += 1,
        }
    }
}

/// The stream in which the incidents of a dead letter's key are recorded.
pub(super) fn of(letter: &DeadLetter) -> StreamId {
    stream(&letter.lane.group, letter.message.envelope.key.text())
}

/// The incident streams that `draft` will append to.
pub(super) fn streams(draft: &Draft) -> BTreeSet<StreamId> {
    draft.incidents.iter().map(|(key, _, _)| stream(&draft.group, key)).collect()
}

/// Records the incidents of `draft`; their streams must be loaded.
pub(super) fn record(draft: &mut Draft) -> Result<(), WireError> {
    for (key, cause, event) in std::mem::take(&mut draft.incidents) {
        let id = stream(&draft.group, &key);
        let entry =
            draft.loaded.get(&id).cloned().unwrap_or_else(|| Entry::new(crate::store::Stream::default()));
        let (event, next) = step(&entry, &event)?;
        let next: Arc<dyn State> = Arc::new(next);
        draft.advance(Append { stream: id, events: vec![event], next: None }, next, cause);
    }
    Ok(())
}

/// The event as it is recorded, and the state after it. A state that cannot be read is counted anew: the record itself lies in
/// the events.
fn step(entry: &Entry, event: &IncidentEvent) -> Result<(Event, Incidents), WireError> {
    let mut next = entry.state::<Incidents>().cloned().unwrap_or_default();
    next.evolve(event);
    let recorded =
        Event { kind: Name::from(event.kind()), schema: IncidentEvent::SCHEMA, body: event.encode()? };
    Ok((recorded, next))
}

/// The row that records what a person decided, each event with the request that caused it; at least one.
pub(super) fn row(
    stream: StreamId,
    now: Stream,
    decided: impl IntoIterator<Item = (MessageId, IncidentEvent)>,
) -> Result<Write, StoreError> {
    let expected = now.version;
    let (mut entry, mut events, mut causes) = (Entry::new(now), Vec::new(), Vec::new());
    for (cause, event) in decided {
        let (event, next) = step(&entry, &event).map_err(StoreError::refused)?;
        entry.advance(entry.stream.version + 1, Arc::new(next));
        events.push(event);
        causes.push(cause);
    }
    let sealed = write(stream, entry, expected, events, causes, None);
    sealed.map_err(|error| StoreError::refused(SealError::from(error)))
}
