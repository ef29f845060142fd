//! Incidents: what is recorded of messages that were given up, in a stream of core's own (rule 24).

use super::draft::Draft;
use crate::{
    event::{
        Wire, WireError,
        incident::{IncidentEvent, stream},
    },
    id::{Name, StreamId},
    service::{Aggregate, Append, Entry, State},
    store::Event,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// How often something was given up, or handled after all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Incidents {
    buried: u64,
    redriven: u64,
}

impl Aggregate for Incidents {
    const SCHEMA: u16 = 1;
    type Event = IncidentEvent;

    fn evolve(&mut self, event: &IncidentEvent) {
        match event {
            IncidentEvent::MessageBuried(_) => self.buried += 1,
            IncidentEvent::MessageRedriven(_) => self.redriven += 1,
        }
    }
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
        // A state that cannot be read is counted anew: the record itself lies in the events.
        let mut next = entry.state::<Incidents>().cloned().unwrap_or_default();
        next.evolve(&event);
        let body = event.encode()?;
        let event = Event { kind: Name::from(event.kind()), schema: IncidentEvent::SCHEMA, body };
        let next: Arc<dyn State> = Arc::new(next);
        draft.advance(Append { stream: id, events: vec![event], next: None }, next, cause);
    }
    Ok(())
}
