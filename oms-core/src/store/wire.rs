//! How a store in a database keeps events and messages: as bytes, fields led by their length, after one byte that names the shape.
//!
//! For those who implement a store; what one database keeps, another reads.
//!
//! ```
//! use oms_core::{id::MessageId, store::{Event, wire::{pack_events, unpack_events}}};
//! let event = Event { kind: "placed".into(), schema: 1, body: "{}".into() };
//! let bytes = pack_events(&[event.clone()], &[MessageId(7)]);
//! assert_eq!(unpack_events(&bytes)?, [(event, MessageId(7))]);
//! # Ok::<(), oms_core::store::wire::Damaged>(())
//! ```

use super::{Event, Recorded, StoreError};
use crate::{
    clock::Timestamp,
    id::{Digest, MessageId, Name, StreamId},
    message::{Envelope, GroupLane, Key, Message, Pack},
};
use bytes::Bytes;

const SHAPE: u8 = 1;

/// The stored bytes make no sense.
#[derive(Debug, thiserror::Error)]
#[error("a stored row is damaged; restore the store from a backup")]
pub struct Damaged;

impl From<Damaged> for StoreError {
    fn from(damaged: Damaged) -> Self {
        Self::unavailable(damaged)
    }
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes()[4..]);
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.take(N)?.try_into().map_err(|_| Damaged)
    }

    fn field(&mut self) -> Result<&'a [u8], Damaged> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| Damaged)?)
    }

    fn name(&mut self) -> Result<Name, Damaged> {
        std::str::from_utf8(self.field()?).map(Name::from).map_err(|_| Damaged)
    }

    fn shape(&mut self) -> Result<(), Damaged> {
        if self.array::<1>()? == [SHAPE] { Ok(()) } else { Err(Damaged) }
    }
}

/// Packs the events of one turn and stream, each with the message that caused it.
#[must_use]
pub fn pack_events(events: &[Event], causes: &[MessageId]) -> Vec<u8> {
    let mut out = vec![SHAPE];
    for (event, cause) in events.iter().zip(causes) {
        field(&mut out, event.kind.as_bytes());
        out.extend_from_slice(&event.schema.to_be_bytes());
        out.extend_from_slice(&cause.0.to_be_bytes());
        field(&mut out, &event.body);
    }
    out
}

/// Unpacks what [`pack_events`] packed.
///
/// # Errors
/// [`Damaged`] when it is no such thing.
pub fn unpack_events(bytes: &[u8]) -> Result<Vec<(Event, MessageId)>, Damaged> {
    let mut from = Reader(bytes);
    from.shape()?;
    let mut events = Vec::new();
    while !from.0.is_empty() {
        let kind = from.name()?;
        let schema = u16::from_be_bytes(from.array()?);
        let cause = MessageId(u128::from_be_bytes(from.array()?));
        let body = Bytes::copy_from_slice(from.field()?);
        events.push((Event { kind, schema, body }, cause));
    }
    Ok(events)
}

/// Packs one message, its body byte for byte.
#[must_use]
pub fn pack_message(message: &Message) -> Vec<u8> {
    let envelope = &message.envelope;
    let mut out = vec![SHAPE];
    out.extend_from_slice(&envelope.id.0.to_be_bytes());
    out.extend_from_slice(&envelope.cause.0.to_be_bytes());
    out.extend_from_slice(&envelope.schema.to_be_bytes());
    out.extend_from_slice(&envelope.time.0.to_be_bytes());
    let texts = [&envelope.correlation, &envelope.topic, envelope.key.text(), &envelope.kind];
    texts.iter().for_each(|text| field(&mut out, text.as_bytes()));
    out.push(u8::from(envelope.trace.is_some()));
    field(&mut out, envelope.trace.as_deref().unwrap_or_default().as_bytes());
    field(&mut out, &message.body);
    out
}

/// Unpacks what [`pack_message`] packed.
///
/// # Errors
/// [`Damaged`] when it is no such thing.
pub fn unpack_message(bytes: &[u8]) -> Result<Message, Damaged> {
    let mut from = Reader(bytes);
    from.shape()?;
    let id = MessageId(u128::from_be_bytes(from.array()?));
    let cause = MessageId(u128::from_be_bytes(from.array()?));
    let schema = u16::from_be_bytes(from.array()?);
    let time = Timestamp(i64::from_be_bytes(from.array()?));
    let (correlation, topic) = (from.name()?, from.name()?);
    let (key, kind) = (Key::new(from.name()?), from.name()?);
    let traced = from.array::<1>()? == [1];
    let trace = Some(from.name()?).filter(|_| traced);
    let body = Bytes::copy_from_slice(from.field()?);
    Ok(Message { envelope: Envelope { id, cause, correlation, topic, key, kind, schema, time, trace }, body })
}

/// The events that one turn recorded on a stream, out of what [`pack_events`] packed of them. `last` is the version after them all.
///
/// # Errors
/// [`Damaged`] when it is no such thing.
pub fn recorded(
    (stream, last): (&StreamId, u64),
    (lane, position): (&GroupLane, u64),
    time: Timestamp,
    events: &[u8],
) -> Result<Vec<Recorded>, Damaged> {
    let events = unpack_events(events)?;
    let first = last.saturating_sub(events.len() as u64) + 1;
    let recorded = (first..).zip(events).map(|(version, (event, cause))| Recorded {
        stream: stream.clone(),
        version,
        event,
        cause,
        time,
        lane: lane.clone(),
        position,
    });
    Ok(recorded.collect())
}

/// A public pack that the broker will never take as one message, for its dead letter: the store does not read what the codec wrote
/// (rule 1).
#[must_use]
pub fn rejected(pack: &Pack, now: Timestamp) -> Message {
    let name = Name::from(pack.id.to_string());
    let id = MessageId(Digest::new("rejected").text(&name).finish());
    let envelope = Envelope {
        id,
        cause: id,
        correlation: Name::clone(&name),
        topic: Name::clone(&pack.topic),
        key: Key::new(name),
        kind: Name::from("rejected"),
        schema: 1,
        time: now,
        trace: None,
    };
    Message { envelope, body: Bytes::clone(&pack.bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_byte_for_byte_and_a_cut_one_is_damaged() {
        let envelope = Envelope {
            id: MessageId(1),
            cause: MessageId(u128::MAX),
            correlation: "o".into(),
            topic: "t".into(),
            key: Key::new("k".into()),
            kind: "K".into(),
            schema: 7,
            time: Timestamp(-3),
            trace: Some("".into()),
        };
        let message = Message { envelope, body: Bytes::from_static(b"\xff\x00") };
        let bytes = pack_message(&message);
        assert_eq!(unpack_message(&bytes).ok(), Some(message));
        for cut in 0..bytes.len() {
            assert!(unpack_message(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn events_come_back_with_their_causes() {
        let event = Event { kind: "E".into(), schema: 2, body: Bytes::from_static(b"{}") };
        let packed = pack_events(&[event.clone(), event.clone()], &[MessageId(1), MessageId(2)]);
        let back = unpack_events(&packed).unwrap_or_default();
        assert_eq!(back, vec![(event.clone(), MessageId(1)), (event, MessageId(2))]);
    }
}
