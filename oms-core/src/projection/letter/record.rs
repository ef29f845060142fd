//! All that is known of one dead letter: what caused it, whose it is, what was done about it, and what became of its copies.

use crate::{
    clock::Timestamp,
    event::{
        Wire,
        incident::{IncidentEvent, MessageReplaced, stream},
    },
    id::{MessageId, Name, OrderId, StreamId},
    message::Envelope,
    projection::{facts::ORDER_KINDS, history, story::words},
    service::{DEADLINE_REACHED, EFFECT_ANSWERED},
    store::{DeadLetter, Pick, Recorded, Seek, Store, StoreError, Waiting},
};

/// More messages than one turn of one order sends for one cause.
const MOST_SENT: usize = 16;
/// How many are read at a time.
const PAGE: usize = 100;

/// Where a message came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A turn sent it that recorded something of the order.
    Turn {
        /// Whose turn.
        group: Name,
        /// When.
        time: Timestamp,
        /// What it recorded.
        events: Vec<Name>,
    },
    /// A gateway answered.
    Answer,
    /// A deadline was reached.
    Deadline,
    /// It is an edited copy of this dead letter.
    Copy(u64),
    /// A request from outside, or a turn that recorded nothing of an order.
    Elsewhere,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits, or is being tried.
    Waits,
    /// It is a dead letter itself, of this number.
    Letter(u64),
    /// It was handled.
    Handled,
}

/// An edited copy, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What was recorded of it.
    pub replaced: MessageReplaced,
    /// What became of it.
    pub fate: Fate,
}

/// One thing that was done with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// When.
    pub time: Timestamp,
    /// The event's wire name.
    pub kind: Name,
    /// What happened, in words.
    pub words: String,
}

/// All that is known of one dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRecord {
    /// The letter, with its original bytes.
    pub letter: DeadLetter,
    /// Where the message came from.
    pub cause: Cause,
    /// The order it belongs to; `None` when no order of this key was ever placed.
    pub order: Option<OrderId>,
    /// Its edited copies.
    pub copies: Vec<Copied>,
    /// What was done with it, in order.
    pub history: Vec<Noted>,
}

/// Reads all that is known of a dead letter; `None` when nothing has this number.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn letter_record(store: &dyn Store, number: u64) -> Result<Option<LetterRecord>, StoreError> {
    let mut page = store.dead_letters(&Pick::numbers([number]), Seek::OLDEST, 1).await?;
    let Some(letter) = page.pop() else { return Ok(None) };
    let envelope = &letter.message.envelope;
    let incidents = incidents(store, &letter).await?;
    let about = |recorded: &&Recorded| read(recorded).is_some_and(|event| is_about(&event, &letter));
    let noted = |recorded: &Recorded| Noted {
        time: recorded.time,
        kind: Name::clone(&recorded.event.kind),
        words: words::of(recorded),
    };
    let history = incidents.iter().filter(about).map(noted).collect();
    let copied = incidents.iter().filter_map(read).find_map(|event| match event {
        IncidentEvent::MessageReplaced(copy) if copy.copy == envelope.id => Some(copy.letter),
        _ => None,
    });
    let (order, sent) = order(store, envelope).await?;
    let cause = match copied {
        Some(original) => Cause::Copy(original),
        None if &*envelope.kind == EFFECT_ANSWERED => Cause::Answer,
        None if &*envelope.kind == DEADLINE_REACHED => Cause::Deadline,
        None => sent.unwrap_or(Cause::Elsewhere),
    };
    let mut copies = Vec::new();
    for replaced in incidents.iter().filter_map(|recorded| copy_of(recorded, letter.number)) {
        let fate = fate(store, envelope, replaced.copy).await?;
        copies.push(Copied { replaced, fate });
    }
    Ok(Some(LetterRecord { cause, order, copies, history, letter }))
}

/// The edited copies of a dead letter as they were recorded, in order.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn copies(store: &dyn Store, letter: &DeadLetter) -> Result<Vec<MessageReplaced>, StoreError> {
    let incidents = incidents(store, letter).await?;
    Ok(incidents.iter().filter_map(|recorded| copy_of(recorded, letter.number)).collect())
}

async fn incidents(store: &dyn Store, letter: &DeadLetter) -> Result<Vec<Recorded>, StoreError> {
    history(store, &stream(&letter.lane.group, letter.message.envelope.key.text())).await
}

fn read(recorded: &Recorded) -> Option<IncidentEvent> {
    let event = &recorded.event;
    IncidentEvent::decode(&event.kind, event.schema, &event.body).ok()
}

fn copy_of(recorded: &Recorded, number: u64) -> Option<MessageReplaced> {
    match read(recorded)? {
        IncidentEvent::MessageReplaced(replaced) if replaced.letter == number => Some(replaced),
        IncidentEvent::MessageReplaced(_)
        | IncidentEvent::MessageBuried(_)
        | IncidentEvent::MessageRedriven(_)
        | IncidentEvent::RedriveRequested(_) => None,
    }
}

fn is_about(event: &IncidentEvent, letter: &DeadLetter) -> bool {
    let id = letter.message.envelope.id;
    match event {
        IncidentEvent::MessageBuried(buried) => buried.message == id,
        IncidentEvent::MessageRedriven(redriven) => redriven.message == id,
        IncidentEvent::RedriveRequested(asked) => asked.letter == letter.number,
        IncidentEvent::MessageReplaced(copy) => copy.letter == letter.number || copy.copy == id,
    }
}

/// The order that a message belongs to, and the turn that sent the message, found by the ids it may have minted (rule 5).
async fn order(
    store: &dyn Store,
    envelope: &Envelope,
) -> Result<(Option<OrderId>, Option<Cause>), StoreError> {
    let Ok(order) = OrderId::new(&envelope.correlation) else { return Ok((None, None)) };
    let (mut placed, mut turn) = (false, Vec::new());
    for kind in ORDER_KINDS {
        let recorded = history(store, &StreamId::keyed(kind, order.as_str())).await?;
        placed |= kind == "order" && !recorded.is_empty();
        let sent = |one: &Recorded| {
            let caused = |index| MessageId::caused(&one.lane.group, envelope.cause, index) == envelope.id;
            one.cause == envelope.cause && (0..MOST_SENT).any(caused)
        };
        turn.extend(recorded.into_iter().filter(sent));
    }
    let cause = turn.first().map(|first| Cause::Turn {
        group: Name::clone(&first.lane.group),
        time: first.time,
        events: turn.iter().map(|one| Name::clone(&one.event.kind)).collect(),
    });
    Ok((placed.then_some(order), cause))
}

async fn fate(store: &dyn Store, original: &Envelope, copy: MessageId) -> Result<Fate, StoreError> {
    let pick = Pick { key: Some(Name::clone(original.key.text())), ..Pick::default() };
    let mut after = 0;
    loop {
        let page = store.dead_letters(&pick, Seek::After(after), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        if let Some(own) = page.iter().find(|letter| letter.message.envelope.id == copy) {
            return Ok(Fate::Letter(own.number));
        }
    }
    let waiting = store.waiting(Some(original.key.text()), usize::MAX).await?;
    let is_copy =
        |one: &Waiting| matches!(one, Waiting::Parked { message, .. } if message.envelope.id == copy);
    Ok(if waiting.iter().any(is_copy) { Fate::Waits } else { Fate::Handled })
}
