//! The wire: how a pack becomes bytes and bytes a pack again, as CloudEvents 1.0 in structured batch mode.

use super::{Envelope, Key, Message, PackId, plain};
use crate::{
    clock::Timestamp,
    id::{MessageId, Name, read_json},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Why bytes are no pack, or messages cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes are not of this codec, or damaged.
    #[error("the bytes are no pack of this codec; send them with the codec that reads them")]
    Unreadable(#[source] serde_json::Error),
    /// A body is not what the codec carries.
    #[error("the body of a {kind} is not JSON; encode it as JSON, or use a codec that carries it")]
    Body {
        /// The message's kind.
        kind: Name,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Readable, but not of this library: an attribute is missing or makes no sense.
    #[error(
        "the pack's attribute {attribute} is missing or makes no sense; it was not written by this library"
    )]
    Foreign {
        /// The attribute.
        attribute: &'static str,
    },
}

/// Turns packs into bytes and back. What one release writes, every later one must read.
///
/// `decode(encode(id, messages))` gives `id` and `messages` back, byte for byte; unknown attributes are skipped.
pub trait Codec: Send + Sync {
    /// The media type of what it writes.
    fn content_type(&self) -> &'static str;

    /// Encodes a pack.
    ///
    /// # Errors
    /// [`CodecError::Body`] when a body is not what this codec carries.
    fn encode(&self, id: &PackId, messages: &[Message]) -> Result<Bytes, CodecError>;

    /// Decodes a pack.
    ///
    /// # Errors
    /// [`CodecError::Unreadable`] or [`CodecError::Foreign`]; never panics, whatever the bytes.
    fn decode(&self, bytes: &Bytes) -> Result<(PackId, Vec<Message>), CodecError>;
}

/// CloudEvents 1.0 as `application/cloudevents-batch+json`, the envelope in the body.
///
/// Ours beside the standard attributes: `pack`, `topic`, `schemaversion`, and the registered extensions
/// `partitionkey`, `correlationid`, `causationid`, `traceparent`.
///
/// ```
/// use oms_core::message::{Codec, GroupLane, Json, PackId};
/// let id = PackId { sender: GroupLane::new("order", 3), position: 42 };
/// let bytes = Json.encode(&id, &[]).unwrap_or_default();
/// assert!(Json.decode(&bytes).is_err(), "an empty pack carries nothing, not even its name");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

/// A message as any CloudEvents library may write it; the attributes we do not need are skipped.
#[derive(Deserialize)]
struct Wire<'a> {
    id: MessageId,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    partitionkey: Cow<'a, str>,
    #[serde(borrow)]
    correlationid: Cow<'a, str>,
    causationid: MessageId,
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
    schemaversion: u16,
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    pack: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Wire<'_> {
    fn message(self, whole: &Bytes) -> Result<Message, CodecError> {
        let time = Timestamp::parse(&self.time).ok_or(CodecError::Foreign { attribute: "time" })?;
        let envelope = Envelope {
            id: self.id,
            cause: self.causationid,
            correlation: Name::from(self.correlationid),
            topic: Name::from(self.topic),
            key: Key::new(Name::from(self.partitionkey)),
            kind: Name::from(self.kind),
            schema: self.schemaversion,
            time,
            trace: self.traceparent.map(Name::from),
        };
        Ok(Message { envelope, body: whole.slice_ref(self.data.get().as_bytes()) })
    }
}

impl Codec for Json {
    fn content_type(&self) -> &'static str {
        "application/cloudevents-batch+json"
    }

    fn encode(&self, id: &PackId, messages: &[Message]) -> Result<Bytes, CodecError> {
        let pack = id.to_string();
        let mut out = Vec::with_capacity(messages.iter().map(|one| one.body.len() + ENVELOPE).sum());
        let mut time = (Timestamp::default(), String::new());
        for message in messages {
            let envelope = &message.envelope;
            let unfit = |source| CodecError::Body { kind: Name::clone(&envelope.kind), source };
            let data = read_json(&message.body).map_err(unfit)?;
            // The messages of a turn have one time.
            if time.1.is_empty() || time.0 != envelope.time {
                time = (envelope.time, envelope.time.to_string());
            }
            out.push(if out.is_empty() { b'[' } else { b',' });
            plain::write(&mut out, message, &id.sender.group, &pack, &time.1, data);
        }
        out.extend_from_slice(if out.is_empty() { b"[]" } else { b"]" });
        Ok(Bytes::from(out))
    }

    fn decode(&self, bytes: &Bytes) -> Result<(PackId, Vec<Message>), CodecError> {
        let foreign = CodecError::Foreign { attribute: "pack" };
        if let Some((name, messages)) = plain::read(bytes) {
            return Ok((name.parse().map_err(|_| foreign)?, messages));
        }
        let wires: Vec<Wire<'_>> = read_json(bytes).map_err(CodecError::Unreadable)?;
        let Some(first) = wires.first() else { return Err(foreign) };
        let name = first.pack.clone().into_owned();
        if wires.iter().any(|wire| wire.pack != name.as_str()) {
            return Err(foreign);
        }
        let id = name.parse().map_err(|_| foreign)?;
        let messages = wires.into_iter().map(|wire| wire.message(bytes)).collect::<Result<_, _>>()?;
        Ok((id, messages))
    }
}

/// What an envelope takes beside the body, about.
const ENVELOPE: usize = 480;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::GroupLane;

    fn message(body: &'static [u8]) -> Message {
        let envelope = Envelope {
            id: MessageId(7),
            cause: MessageId(6),
            correlation: Name::from("o-1"),
            topic: Name::from("order.placed"),
            key: Key::new(Name::from("o-1")),
            kind: Name::from("OrderPlaced"),
            schema: 1,
            time: Timestamp(1_321_000_000_123_456),
            trace: Some(Name::from("00-\"quoted\"-01")),
        };
        Message { envelope, body: Bytes::from_static(body) }
    }

    fn id() -> PackId {
        PackId { sender: GroupLane::new("order", 3), position: 42 }
    }

    #[test]
    fn a_pack_comes_back_as_it_went() {
        let sent = vec![message(br#"{"a":"\u00e9"}"#), message(b"[1, 2]")];
        let bytes = Json.encode(&id(), &sent).expect("encodes");
        assert_eq!(Json.decode(&bytes).expect("decodes"), (id(), sent));
    }

    #[test]
    fn what_is_written_is_read_without_the_serializer_unless_something_is_escaped() {
        let mut plain_ones = vec![message(b"{}"), message(br#"{"a":[1,"]},{"]}"#)];
        plain_ones[0].envelope.trace = None;
        plain_ones[1].envelope.trace = Some(Name::from("00-1-01"));
        let bytes = Json.encode(&id(), &plain_ones).expect("encodes");
        assert_eq!(plain::read(&bytes), Some(("order/3/42", plain_ones.clone())));
        let by_serde: Vec<Wire<'_>> = serde_json::from_slice(&bytes).expect("is JSON");
        let by_serde: Vec<Message> =
            by_serde.into_iter().map(|wire| wire.message(&bytes).expect("is ours")).collect();
        assert_eq!(by_serde, plain_ones);
        let escaped = Json.encode(&id(), &[message(b"1")]).expect("encodes");
        assert_eq!(plain::read(&escaped), None);
    }

    #[test]
    fn every_cut_of_a_pack_is_refused() {
        let bytes = Json.encode(&id(), &[message(b"{\"n\":1}")]).expect("encodes");
        assert!((0..bytes.len()).all(|cut| Json.decode(&bytes.slice(..cut)).is_err()));
    }

    #[test]
    fn version_one_is_written_as_its_sample() {
        let sample = br#"[{"specversion":"1.0","id":"00000000000000000000000000000007","source":"oms/order","type":"OrderPlaced","time":"2011-11-11T08:26:40.123456Z","datacontenttype":"application/json","partitionkey":"o-1","correlationid":"o-1","causationid":"00000000000000000000000000000006","traceparent":"00-\"quoted\"-01","schemaversion":1,"topic":"order.placed","pack":"order/3/42","data":{"n":1}}]"#;
        let written = Json.encode(&id(), &[message(br#" {"n":1}"#)]).expect("encodes");
        assert_eq!(std::str::from_utf8(&written), std::str::from_utf8(sample));
    }

    #[test]
    fn a_stored_sample_of_version_one_is_read_for_ever() {
        let sample = br#"[{"specversion":"1.0","id":"00000000000000000000000000000007","source":"oms/order","type":"OrderPlaced","time":"2011-11-11T08:26:40.123456Z","datacontenttype":"application/json","partitionkey":"o-1","correlationid":"o-1","causationid":"00000000000000000000000000000006","traceparent":"00-\"quoted\"-01","schemaversion":1,"topic":"order.placed","pack":"order/3/42","data":{"n":1},"tomorrow":true}]"#;
        let (pack, messages) = Json.decode(&Bytes::from_static(sample)).expect("decodes");
        assert_eq!((pack, messages), (id(), vec![message(br#"{"n":1}"#)]));
    }

    #[test]
    fn a_body_that_is_not_json_and_bytes_that_are_no_pack_are_refused() {
        assert!(matches!(Json.encode(&id(), &[message(b"{")]), Err(CodecError::Body { .. })));
        assert!(matches!(Json.decode(&Bytes::from_static(b"\x00")), Err(CodecError::Unreadable(_))));
        assert!(matches!(Json.decode(&Bytes::from_static(b"[]")), Err(CodecError::Foreign { .. })));
    }
}
