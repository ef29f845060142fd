//! Words: what each event says to a person.

mod count;
mod order;
mod services;

use self::count::count;
use super::entry::Running;
use crate::{
    event::{
        Wire, WireError,
        incident::{INCIDENT, IncidentEvent, MessageReplaced},
    },
    id::Name,
    store::{Recorded, Waiting},
};

/// What a recorded event says. One that this binary cannot read still has its place in the story.
pub(in crate::projection) fn of(recorded: &Recorded) -> String {
    let said = match &*recorded.stream.kind {
        "order" => read(recorded, order::order),
        "payment" => read(recorded, services::payment),
        "reservation" => read(recorded, services::inventory),
        "shipment" => read(recorded, services::shipping),
        "notification" => read(recorded, services::notification),
        INCIDENT => read(recorded, incident),
        // Streams are open to a user's own services, whose words are their own.
        _ => return format!("recorded by {}", recorded.lane.group),
    };
    said.unwrap_or_else(|error| format!("cannot be read here: {error}"))
}

/// What something in flight says.
pub(super) fn running(waiting: &Waiting) -> Running {
    let (lane, words) = match waiting {
        Waiting::Owed { lane, topic, left, .. } => {
            (lane, format!("has not handled {} of {topic} yet", count(*left as u64, "message")))
        }
        Waiting::Parked { lane, message, error, attempts, next, .. } => {
            let kind = &message.envelope.kind;
            let when = match next {
                Some(time) => format!("tries {kind} again at {time}, after {}", count(*attempts, "attempt")),
                None => format!("keeps {kind} behind an earlier message of this order"),
            };
            (lane, format!("{when}: {error}"))
        }
        Waiting::Effect { lane, key, gateway, claimed } => {
            let state = if *claimed { "waits for the answer" } else { "is about to ask" };
            (lane, format!("{state} of {gateway} to {} (attempt {})", key.step, key.attempt))
        }
        Waiting::Deadline { lane, look, .. } => (lane, format!("looks again at {look}")),
    };
    Running { service: Name::clone(&lane.group), words }
}

fn read<E: Wire>(recorded: &Recorded, words: fn(&E) -> String) -> Result<String, WireError> {
    let event = &recorded.event;
    E::decode(&event.kind, event.schema, &event.body).map(|event| words(&event))
}

fn incident(event: &IncidentEvent) -> String {
    match event {
        IncidentEvent::MessageBuried(buried) => {
            let tries = count(buried.attempts, "attempt");
            format!("gave up {} after {tries}, it is a dead letter now: {}", buried.kind, buried.error)
        }
        IncidentEvent::MessageRedriven(redriven) => {
            format!("handled the dead letter {} after all, on request", redriven.kind)
        }
        IncidentEvent::RedriveRequested(asked) => {
            format!(
                "{} asked for dead letter {} ({}) to be handled again",
                asked.by, asked.letter, asked.kind
            )
        }
        IncidentEvent::MessageReplaced(replaced) => {
            let MessageReplaced { by, letter, edit, copy, copy_kind, .. } = replaced;
            format!(
                "{by} edited dead letter {letter}: copy {edit} of it, {copy_kind} {copy}, stands for it now"
            )
        }
    }
}
