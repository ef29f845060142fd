//! Work: the messages in a turn's hands, and where each came from.

use super::{batch::Batch, desk::InHand, origin::Origin};
use crate::{
    clock::Timestamp,
    id::{Digest, MessageId, Name, StreamId, read_json, write_json},
    message::{Codec, CodecError, Envelope, Key, Message, PackId},
    service::{DEADLINE_REACHED, DeadlineReached, EFFECT_ANSWERED, EffectAnswered},
    store::{Consumed, End, Found, LocalMessage, Owed, Then},
};
use bytes::Bytes;
use serde_json::value::RawValue;

/// The kind of what could not even be decoded.
pub(super) const UNDECODABLE: &str = "undecodable";

/// A message to handle, how often it was tried before, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) message: Message,
    pub(super) origin: Origin,
    pub(super) attempts: u32,
    /// True for bytes that could not be decoded: buried as they are.
    pub(super) unreadable: Option<String>,
}

impl Work {
    pub(super) fn new(message: Message, origin: Origin) -> Self {
        Self { message, origin, attempts: 0, unreadable: None }
    }

    pub(super) fn local(local: LocalMessage, now: Timestamp) -> Self {
        match local {
            LocalMessage::Released { seq, message, attempts } => {
                Self { attempts, ..Self::new(message, Origin::Released { seq }) }
            }
            LocalMessage::Redriven { number, message, attempts } => {
                Self { attempts, ..Self::new(message, Origin::Redriven { number }) }
            }
            LocalMessage::Due { stream, key, set_at, firing } => {
                let message = reached(&stream, key, set_at, firing, now);
                Self::new(message, Origin::Due { stream, set_at, firing })
            }
        }
    }

    /// Whether it may pass a parked key: only releases do, and what left the key's order before (rule 9).
    pub(super) fn passes(&self) -> bool {
        matches!(self.origin, Origin::Released { .. } | Origin::Redriven { .. })
    }

    /// The owed place that a parked or buried copy stays tied to.
    pub(super) fn owed(&self) -> Option<(PackId, u16)> {
        match &self.origin {
            Origin::Owed { pack, index } => Some((pack.clone(), *index)),
            Origin::Released { .. } | Origin::Redriven { .. } | Origin::Due { .. } => None,
            Origin::Answered { .. } | Origin::Request => None,
        }
    }

    /// What the commit takes away for it; owed places are gathered by [`gather`].
    pub(super) fn consumed(&self, end: End) -> Option<Consumed> {
        Some(match self.origin.clone() {
            Origin::Owed { pack, index } => Consumed::Owed { pack, indexes: vec![index], end },
            Origin::Released { seq } => Consumed::Released { seq, end },
            Origin::Redriven { number } => Consumed::Redriven { number, end },
            Origin::Due { stream, set_at, firing } => Consumed::Due { stream, set_at, firing },
            Origin::Answered { effect, then } => Consumed::Answered { effect, then },
            Origin::Request => return None,
        })
    }
}

/// Joins the places of one pack that ended alike, so that its row is written once.
pub(super) fn gather(consumed: Vec<Consumed>) -> Vec<Consumed> {
    let mut all: Vec<Consumed> = Vec::with_capacity(consumed.len());
    for one in consumed {
        let Consumed::Owed { pack, indexes, end } = &one else {
            all.push(one);
            continue;
        };
        let same = all.iter_mut().rev().find_map(|earlier| match earlier {
            Consumed::Owed { pack: known, indexes, end: ended } if known == pack && ended == end => {
                Some(indexes)
            }
            Consumed::Owed { .. } | Consumed::Due { .. } | Consumed::Released { .. } => None,
            Consumed::Redriven { .. } | Consumed::Answered { .. } => None,
        });
        match same {
            Some(known) => known.extend_from_slice(indexes),
            None => all.push(one),
        }
    }
    all
}

/// Everything a turn handles, in order: answers in hand, local work, requests, then what is owed in the sender's order.
pub(super) fn works(codec: &dyn Codec, batch: &Batch<'_>, found: &mut Found) -> Vec<Work> {
    let standing = batch.answers.iter().filter(|hand| found.standing.contains(&hand.effect.key));
    let mut works: Vec<Work> = standing.map(|hand| answered(hand, found.now)).collect();
    works.extend(std::mem::take(&mut found.local).into_iter().map(|local| Work::local(local, found.now)));
    works.extend(batch.requests.iter().map(|message| Work::new(message.clone(), Origin::Request)));
    for owed in &found.owed {
        let delivered = batch.delivered.iter().find(|delivered| delivered.pack == owed.pack);
        match (delivered, &owed.bytes) {
            (_, Some(bytes)) => match codec.decode(bytes) {
                Ok((_, messages)) => unpack(&mut works, owed, &messages),
                Err(error) => {
                    works.extend(owed.left.iter().map(|index| unreadable(owed, *index, bytes, &error)))
                }
            },
            // The store gives bytes for whatever was not delivered as it is.
            (Some(delivered), None) => unpack(&mut works, owed, &delivered.messages),
            (None, None) => {}
        }
    }
    works
}

fn unpack(works: &mut Vec<Work>, owed: &Owed, messages: &[Message]) {
    for index in &owed.left {
        if let Some(message) = messages.get(usize::from(*index)) {
            works.push(Work::new(message.clone(), Origin::Owed { pack: owed.pack.clone(), index: *index }));
        }
    }
}

/// A place of a pack that cannot be decoded: it is buried with the pack's bytes as they are.
fn unreadable(owed: &Owed, index: u16, bytes: &Bytes, error: &CodecError) -> Work {
    let id = Digest::new("undecodable").text(&owed.pack.to_string()).number(index.into()).finish();
    let message =
        local(UNDECODABLE, MessageId(id), Name::from(UNDECODABLE), Bytes::clone(bytes), Timestamp(0));
    let origin = Origin::Owed { pack: owed.pack.clone(), index };
    Work { unreadable: Some(format!("the pack cannot be decoded: {error}")), ..Work::new(message, origin) }
}

fn answered(hand: &InHand, now: Timestamp) -> Work {
    let effect = &hand.effect;
    let heard = hand.id;
    let then = match hand.answer.again {
        None => Then::Gone,
        Some(_) if hand.kept => Then::Kept,
        Some(again) => Then::LetGo { again, heard },
    };
    let raw = read_json::<Box<RawValue>>(&hand.answer.body);
    let problem = raw
        .as_ref()
        .err()
        .map(|error| format!("the answer of {} to {} is not JSON: {error}", effect.gateway, effect.key));
    let body = raw.ok().and_then(|answer| {
        let told = EffectAnswered {
            effect: effect.key.clone(),
            stream: effect.stream.clone(),
            gateway: Name::clone(&effect.gateway),
            answer,
            settled: then == Then::Gone,
            calls: hand.calls,
        };
        write_json(&told).ok()
    });
    let body = body.unwrap_or_else(|| Bytes::clone(&hand.answer.body));
    let mut message = local(EFFECT_ANSWERED, heard, Name::clone(&effect.key.order), body, now);
    message.envelope.cause = effect.cause;
    let origin = Origin::Answered { effect: effect.key.clone(), then };
    Work { unreadable: problem, ..Work::new(message, origin) }
}

fn reached(stream: &StreamId, key: Name, set_at: u64, firing: u64, now: Timestamp) -> Message {
    let digest = Digest::new("deadline").text(&stream.kind).text(&stream.id);
    let id = MessageId(digest.number(set_at.into()).number(firing.into()).finish());
    let body = serde_json::to_vec(&DeadlineReached { stream: stream.clone() }).unwrap_or_default();
    local(DEADLINE_REACHED, id, key, Bytes::from(body), now)
}

/// A message that never travels.
fn local(kind: &str, id: MessageId, key: Name, body: Bytes, time: Timestamp) -> Message {
    let correlation = Name::clone(&key);
    let (topic, kind, key) = (Name::from(kind), Name::from(kind), Key::new(key));
    Message {
        envelope: Envelope { id, cause: id, correlation, topic, key, kind, schema: 1, time, trace: None },
        body,
    }
}
