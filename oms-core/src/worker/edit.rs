//! Edited copies of dead letters: each a turn of the lane that failed, recorded with who edited and what was sent.

use super::{
    incident,
    memory::Memory,
    origin::Origin,
    parts::Parts,
    turn::load,
    work::{UNDECODABLE, Work},
};
use crate::{
    event::incident::{IncidentEvent, MessageReplaced},
    id::{Digest, MessageId, Name},
    message::{Envelope, Message, PackId},
    projection::copies,
    service::{Fault, Outcome},
    store::{
        Ask, DeadLetter, DeadLetterState, Found, PUBLIC, Parked, Pick, Right, Seek, StoreError, Turn,
        Verdict, Writes,
    },
};
use bytes::Bytes;
use std::{collections::BTreeSet, time::Duration};

/// An edited copy of a dead letter, to be handled in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The dead letter's number.
    pub number: u64,
    /// The wire name of the copy; `None` keeps the original's.
    pub kind: Option<Name>,
    /// The body of the copy.
    pub body: Bytes,
    /// Who edits, for the record.
    pub by: String,
    /// Whether another copy may be sent though an earlier one stands for the letter.
    pub again: bool,
}

/// What came of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The copy.
    pub copy: MessageId,
    /// Which copy of this letter it is, from 1.
    pub edit: u32,
    /// Whether this call sent it; an earlier one with the same content did otherwise.
    pub sent: bool,
}

/// Why no copy was sent; nothing was written, unless the store says that it does not know.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Nothing has this number.
    #[error("there is no dead letter {0}; list them first")]
    NoSuchLetter(u64),
    /// It cannot be edited as it stands.
    #[error("dead letter {number} cannot be edited: {why}")]
    Standing {
        /// Its number.
        number: u64,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// No process with this group's handler does this; nobody here could say whether it reads the copy.
    #[error("no service named {0} runs here; edit the letter in a process that runs it")]
    NoSuchGroup(Name),
    /// The copy cannot be handled: not what the codec carries, or nothing that the group reads.
    #[error("the copy would never be handled by {group}: {why}; correct it, nothing was written")]
    Unreadable {
        /// The group that failed.
        group: Name,
        /// What is wrong with it.
        why: String,
    },
    /// The store did not answer; the same edit may be asked again, and is sent once.
    #[error("the store cannot be reached: {0}; try again")]
    Store(#[from] StoreError),
}

/// Sends an edited copy of a dead letter to the group that failed, and to nobody else; the original stays as it is, and is
/// marked as replaced. The same content is sent once, however often it is asked.
///
/// The copy is like any message of its key and lane from then on: parked, tried, and a dead letter of its own when it fails.
///
/// # Errors
/// [`EditError`], each saying what to do.
pub async fn edit(parts: &Parts, edit: &Edit) -> Result<Edited, EditError> {
    let found = find(parts, edit.number).await?;
    let right = Right::Unfenced(found.lane.clone());
    let mut conflicts = 0;
    loop {
        let mut open = parts.store.turn(&right, Ask::default()).await?;
        let before = open.found();
        match replace(parts, edit, open, before).await {
            Err(EditError::Store(StoreError::Conflict)) => conflicts = parts.yield_to_others(conflicts).await,
            ended => {
                parts.look();
                return ended;
            }
        }
    }
}

async fn find(parts: &Parts, number: u64) -> Result<DeadLetter, EditError> {
    let mut page = parts.store.dead_letters(&Pick::numbers([number]), Seek::OLDEST, 1).await?;
    page.pop().ok_or(EditError::NoSuchLetter(number))
}

/// Behind the lane's lock: nobody else decides about this letter meanwhile.
async fn replace(
    parts: &Parts,
    edit: &Edit,
    mut open: Box<dyn Turn>,
    mut before: Found,
) -> Result<Edited, EditError> {
    let letter = find(parts, edit.number).await?;
    let earlier = copies(parts.store.as_ref(), &letter).await?;
    let kind = edit.kind.as_ref().unwrap_or(&letter.message.envelope.kind);
    let (body, hex) = written(&edit.body);
    let same = |copy: &&MessageReplaced| copy.copy_kind == *kind && copy.body == body && copy.hex == hex;
    if let Some(same) = earlier.iter().find(same) {
        return Ok(Edited { copy: same.copy, edit: same.edit, sent: false });
    }
    may_be_edited(&letter, edit.again)?;
    let number = earlier.last().map_or(1, |copy| copy.edit + 1);
    let copy = copy(&letter, edit, number, &before);
    let streams = BTreeSet::from([incident::of(&letter)]);
    let now = open.load(&streams).await?.remove(&incident::of(&letter)).unwrap_or_default();
    readable(parts, &letter, &copy, open.as_mut(), &mut before).await?;
    let replaced = MessageReplaced {
        group: Name::clone(&letter.lane.group),
        kind: Name::clone(&letter.message.envelope.kind),
        message: letter.message.envelope.id,
        letter: letter.number,
        copy: copy.envelope.id,
        edit: number,
        copy_kind: Name::clone(kind),
        body,
        hex,
        by: edit.by.clone(),
    };
    let edited = Edited { copy: copy.envelope.id, edit: number, sent: true };
    let row = incident::row(
        incident::of(&letter),
        now,
        [(copy.envelope.id, IncidentEvent::MessageReplaced(replaced))],
    )?;
    let buried = letter.state == DeadLetterState::Buried;
    let parked = Parked {
        again: None,
        message: copy,
        origin: letter.origin.clone().filter(|_| buried),
        error: Name::from(format!("an edited copy of dead letter {}, on its way", letter.number)),
        attempts: 0,
        next: Some(Duration::ZERO),
    };
    let judged = buried.then_some((letter.number, Verdict::Replace)).into_iter().collect();
    open.commit(Writes { streams: vec![row], parked: vec![parked], judged, ..Writes::default() }).await?;
    Ok(edited)
}

fn may_be_edited(letter: &DeadLetter, again: bool) -> Result<(), EditError> {
    let why = match letter.state {
        _ if &*letter.lane.group == PUBLIC => {
            "it is a pack for hearers outside, which the broker never takes"
        }
        _ if &*letter.message.envelope.kind == UNDECODABLE => {
            "its pack could not be decoded, so nobody knows whose it is; run the codec that wrote it, and redrive it"
        }
        DeadLetterState::Buried => return Ok(()),
        DeadLetterState::Replaced if again => return Ok(()),
        DeadLetterState::Replaced => {
            "a copy was sent in its place; if that failed too, edit the dead letter it became, or ask for another copy"
        }
        DeadLetterState::Redriven => "it is being handled again; wait for what becomes of it",
        DeadLetterState::Handled => "it was handled",
    };
    Err(EditError::Standing { number: letter.number, why })
}

/// The copy: the original's place in the world, with an id of its own, minted from the letter's and the edit's number.
fn copy(letter: &DeadLetter, edit: &Edit, number: u32, before: &Found) -> Message {
    let original = &letter.message.envelope;
    let digest = Digest::new("copy").number(letter.number.into()).number(number.into());
    let envelope = Envelope {
        id: MessageId(digest.finish()),
        cause: original.id,
        kind: edit.kind.as_ref().map_or_else(|| Name::clone(&original.kind), Name::clone),
        time: before.now,
        ..original.clone()
    };
    Message { envelope, body: Bytes::clone(&edit.body) }
}

/// Lets the group handle the copy and drops what it decides: the handler is pure, so only it can say what it reads.
async fn readable(
    parts: &Parts,
    letter: &DeadLetter,
    copy: &Message,
    open: &mut dyn Turn,
    before: &mut Found,
) -> Result<(), EditError> {
    let group = &letter.lane.group;
    let refuse = |why: String| Err(EditError::Unreadable { group: Name::clone(group), why });
    let pack = PackId { sender: letter.lane.clone(), position: 0 };
    if let Err(error) = parts.codec.encode(&pack, std::slice::from_ref(copy)) {
        return refuse(error.to_string());
    }
    let handler = parts.handlers.iter().find(|handler| handler.group() == *group);
    let handler = handler.ok_or_else(|| EditError::NoSuchGroup(Name::clone(group)))?;
    let work = [Work::new(copy.clone(), Origin::Request)];
    let bound = parts.options.streams;
    let (loaded, _) = load(open, handler.as_ref(), &work, before, &Memory::default(), bound).await?;
    match handler.handle(copy, &loaded) {
        Outcome::Fault(fault @ (Fault::Permanent(_) | Fault::Newer(_))) => refuse(fault.to_string()),
        Outcome::Fault(Fault::Failed(_)) | Outcome::Reaction(_) | Outcome::Missing(_) => Ok(()),
    }
}

/// Bytes as an event keeps them: as text, or in hexadecimal digits where they are none.
fn written(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (bytes.iter().map(|byte| format!("{byte:02x}")).collect(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        message::{GroupLane, Key},
    };

    fn letter(kind: &str, state: DeadLetterState) -> DeadLetter {
        let name = Name::from("k");
        let envelope = Envelope {
            id: MessageId(1),
            cause: MessageId(1),
            correlation: Name::clone(&name),
            topic: Name::clone(&name),
            key: Key::new(name),
            kind: Name::from(kind),
            schema: 1,
            time: Timestamp(0),
            trace: None,
        };
        let message = Message { envelope, body: Bytes::new() };
        let (lane, error) = (GroupLane::new("g", 0), Name::from("no"));
        DeadLetter { number: 1, lane, message, origin: None, error, attempts: 1, time: Timestamp(0), state }
    }

    #[test]
    fn what_could_not_be_decoded_has_no_key_to_send_a_copy_by() {
        let refused = may_be_edited(&letter(UNDECODABLE, DeadLetterState::Buried), true);
        assert!(refused.is_err_and(|error| error.to_string().contains("could not be decoded")));
        assert!(may_be_edited(&letter("Do", DeadLetterState::Buried), false).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_recorded_in_digits() {
        assert_eq!(written(b"{}"), ("{}".to_owned(), false));
        assert_eq!(written(b"\xff\x00"), ("ff00".to_owned(), true));
    }
}
