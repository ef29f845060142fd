//! The form in which this library writes a message: written and read piece by piece, without a serializer between.
//!
//! Reading takes exactly what writing gives. Whatever looks otherwise, be it as good JSON, is the serializer's.

use super::{Envelope, Key, Message};
use crate::{
    clock::Timestamp,
    id::{MessageId, Name},
};
use bytes::Bytes;
use serde_json::value::RawValue;

/// Writes a message; `time` is its own, as a text.
pub(super) fn write(
    out: &mut Vec<u8>,
    message: &Message,
    group: &str,
    pack: &str,
    time: &str,
    data: &RawValue,
) {
    let envelope = &message.envelope;
    let (id, cause) = (envelope.id.hex(), envelope.cause.hex());
    let schema = envelope.schema.to_string();
    let mut piece = |before: &str, text: &str| {
        out.extend_from_slice(before.as_bytes());
        escape(out, text);
    };
    piece(r#"{"specversion":"1.0","id":""#, id.as_str());
    piece(r#"","source":"oms/"#, group);
    piece(r#"","type":""#, &envelope.kind);
    piece(r#"","time":""#, time);
    piece(r#"","datacontenttype":"application/json","partitionkey":""#, envelope.key.text());
    piece(r#"","correlationid":""#, &envelope.correlation);
    piece(r#"","causationid":""#, cause.as_str());
    if let Some(trace) = &envelope.trace {
        piece(r#"","traceparent":""#, trace);
    }
    piece(r#"","schemaversion":"#, &schema);
    piece(r#","topic":""#, &envelope.topic);
    piece(r#"","pack":""#, pack);
    for last in [r#"","data":"#, data.get(), "}"] {
        out.extend_from_slice(last.as_bytes());
    }
}

/// Writes what stands between the quotes of a text.
fn escape(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        return out.extend_from_slice(text.as_bytes());
    }
    // A text can always be written.
    let quoted = serde_json::to_string(text).unwrap_or_default();
    out.extend_from_slice(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().as_bytes());
}

/// Reads the messages of a pack, and the pack's name; `None` when they are not in our own form.
pub(super) fn read(whole: &Bytes) -> Option<(&str, Vec<Message>)> {
    let mut rest = Pieces { rest: std::str::from_utf8(whole).ok()?, time: None };
    rest.skip("[")?;
    let mut messages: Vec<Message> = Vec::new();
    let mut name: Option<&str> = None;
    loop {
        let (message, pack) = rest.message(whole, messages.last())?;
        if *name.get_or_insert(pack) != pack {
            return None;
        }
        messages.push(message);
        if rest.skip(",").is_none() {
            break;
        }
    }
    (rest.rest == "]").then_some((name?, messages))
}

/// What is not read yet, and the time that was read last: the messages of a turn have the same.
struct Pieces<'a> {
    rest: &'a str,
    time: Option<(&'a str, Timestamp)>,
}

impl<'a> Pieces<'a> {
    fn skip(&mut self, piece: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(piece)?;
        Some(())
    }

    /// The text behind `before`, up to its quote; `None` when anything in it is escaped.
    fn text(&mut self, before: &str) -> Option<&'a str> {
        self.skip(before)?;
        let end = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    fn id(&mut self, before: &str) -> Option<MessageId> {
        let text = self.text(before)?;
        (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(MessageId))?
    }

    fn time(&mut self, before: &str) -> Option<Timestamp> {
        let text = self.text(before)?;
        if let Some((_, time)) = self.time.filter(|(known, _)| *known == text) {
            return Some(time);
        }
        let time = Timestamp::parse(text)?;
        self.time = Some((text, time));
        Some(time)
    }

    /// One message, and its pack's name. Names that the one before it has are shared.
    fn message(&mut self, whole: &Bytes, before: Option<&Message>) -> Option<(Message, &'a str)> {
        let before = before.map(|message| &message.envelope);
        let id = self.id(r#"{"specversion":"1.0","id":""#)?;
        self.text(r#","source":""#)?;
        let kind = shared(self.text(r#","type":""#)?, before.map(|before| &before.kind));
        let time = self.time(r#","time":""#)?;
        let key = self.text(r#","datacontenttype":"application/json","partitionkey":""#)?;
        let key = shared(key, before.map(|before| before.key.text()));
        let correlation = shared(self.text(r#","correlationid":""#)?, Some(&key));
        let cause = self.id(r#","causationid":""#)?;
        let trace = self.text(r#","traceparent":""#).map(Name::from);
        self.skip(r#","schemaversion":"#)?;
        let (schema, rest) = self.rest.split_once(',')?;
        let schema = schema.parse().ok().filter(|_| schema.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.rest = rest;
        let topic = shared(self.text(r#""topic":""#)?, before.map(|before| &before.topic));
        let pack = self.text(r#","pack":""#)?;
        self.skip(r#","data":"#)?;
        let data = self.value()?;
        self.skip("}")?;
        let key = Key::new(key);
        let envelope = Envelope { id, cause, correlation, topic, key, kind, schema, time, trace };
        Some((Message { envelope, body: whole.slice_ref(data.as_bytes()) }, pack))
    }

    /// Any JSON.
    fn value(&mut self) -> Option<&'a str> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<&RawValue>();
        let value = values.next()?.ok()?.get();
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(value)
    }
}

fn shared(text: &str, known: Option<&Name>) -> Name {
    known.filter(|known| ***known == *text).map_or_else(|| Name::from(text), Name::clone)
}
