//! The wire: how a pack becomes bytes and bytes a pack again, as CloudEvents 1.0 in structured batch mode.

use super::{Envelope, Key, Message, PackId};
use crate::{
    clock::Timestamp,
    id::{MessageId, Name},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
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

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    id: MessageId,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    time: String,
    #[serde(borrow)]
    datacontenttype: Cow<'a, str>,
    #[serde(borrow)]
    partitionkey: Cow<'a, str>,
    #[serde(borrow)]
    correlationid: Cow<'a, str>,
    causationid: MessageId,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    schemaversion: u16,
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    pack: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<'a> Wire<'a> {
    fn of(message: &'a Message, source: &'a str, pack: &'a str) -> Result<Self, CodecError> {
        let envelope = &message.envelope;
        let data = serde_json::from_slice(&message.body)
            .map_err(|source| CodecError::Body { kind: Name::clone(&envelope.kind), source })?;
        Ok(Self {
            specversion: Cow::Borrowed("1.0"),
            id: envelope.id,
            source: Cow::Borrowed(source),
            kind: Cow::Borrowed(&envelope.kind),
            time: envelope.time.to_string(),
            datacontenttype: Cow::Borrowed("application/json"),
            partitionkey: Cow::Borrowed(envelope.key.text()),
            correlationid: Cow::Borrowed(&envelope.correlation),
            causationid: envelope.cause,
            traceparent: envelope.trace.as_deref().map(Cow::Borrowed),
            schemaversion: envelope.schema,
            topic: Cow::Borrowed(&envelope.topic),
            pack: Cow::Borrowed(pack),
            data,
        })
    }

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
        let (source, pack) = (format!("oms/{}", id.sender.group), id.to_string());
        let wires = messages
            .iter()
            .map(|message| Wire::of(message, &source, &pack))
            .collect::<Result<Vec<_>, _>>()?;
        serde_json::to_vec(&wires).map(Bytes::from).map_err(CodecError::Unreadable)
    }

    fn decode(&self, bytes: &Bytes) -> Result<(PackId, Vec<Message>), CodecError> {
        let wires: Vec<Wire<'_>> = serde_json::from_slice(bytes).map_err(CodecError::Unreadable)?;
        let foreign = CodecError::Foreign { attribute: "pack" };
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
