//! Sealing a draft: packs get their positions and bytes, states theirs, and everything becomes one set of writes.

use super::{Options, draft::Draft, states::Written, work::gather};
use crate::{
    id::{Name, StreamId},
    message::{Codec, CodecError, GroupLane, Message, Pack, PackId},
    service::Entry,
    store::{Deadline, WaitsFor, Write, Writes},
};
use std::collections::BTreeMap;

/// Why a draft cannot be sealed: something in it cannot be encoded. The batch is halved until the culprit stands alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    #[error("a message cannot be encoded")]
    Pack(#[from] CodecError),
    #[error("a state cannot be encoded")]
    State(#[from] serde_json::Error),
}

/// Seals `draft` as the writes of a turn of `lane` whose first pack has `position`; gives the states they hold as well.
pub(super) fn seal(
    draft: Draft,
    lane: &GroupLane,
    position: u64,
    codec: &dyn Codec,
    options: &Options,
) -> Result<(Writes, Vec<(StreamId, Written)>), SealError> {
    let (packs, places) = pack(&draft.outgoing, lane, position, codec, options)?;
    let mut writes = Writes {
        packs,
        consumed: gather(draft.consumed),
        effects: draft.effects,
        withdrawn: draft.withdrawn,
        parked: draft.parked,
        buried: draft.buried,
        ..Writes::default()
    };
    let mut loaded = draft.loaded.0;
    let mut states = Vec::with_capacity(draft.changes.len());
    for (stream, change) in draft.changes {
        let Some(entry) = loaded.get_mut(&stream).map(std::mem::take) else { continue };
        let deadline = match &change.deadline {
            None => entry.stream.deadline.clone(),
            Some(None) => None,
            Some(Some(watch)) => Some(Deadline {
                set_at: watch.set_at,
                delay: watch.delay,
                waits_for: watch.waits_for.as_ref().and_then(|(place, group)| {
                    let (pack, index) = places.get(*place)?.clone();
                    Some(WaitsFor { pack, index, group: Name::clone(group) })
                }),
                key: Name::clone(&watch.key),
                group: Name::clone(&draft.hearer),
            }),
        };
        if change.deadline.is_some() && (deadline.is_some() || entry.stream.deadline.is_some()) {
            writes.alarms.push(stream.clone());
        }
        let typed = entry.typed().cloned();
        let write = write(stream, entry, change.expected, change.events, change.causes, deadline)?;
        let written = typed.and_then(|typed| Written::of(&write.next, typed));
        states.extend(written.map(|written| (write.stream.clone(), written)));
        writes.streams.push(write);
    }
    Ok((writes, states))
}

/// The row of a stream after what happened to it.
pub(super) fn write(
    stream: StreamId,
    entry: Entry,
    expected: u64,
    events: Vec<crate::store::Event>,
    causes: Vec<crate::id::MessageId>,
    deadline: Option<Deadline>,
) -> Result<Write, serde_json::Error> {
    let typed = entry.typed().cloned();
    let mut next = entry.stream;
    let mut fixed_is_new = false;
    if let Some(state) = typed {
        next.state = Some(state.encode()?);
        next.schema = state.schema();
        if next.fixed.is_none() {
            next.fixed = state.fixed();
            fixed_is_new = next.fixed.is_some();
        }
    }
    next.deadline = deadline;
    Ok(Write { stream, expected, events, next, fixed_is_new, causes })
}

type Places = Vec<(PackId, u16)>;

/// Packs messages by (topic, lane), in their order; says where each message went.
fn pack(
    outgoing: &[Message],
    sender: &GroupLane,
    first: u64,
    codec: &dyn Codec,
    options: &Options,
) -> Result<(Vec<Pack>, Places), CodecError> {
    let mut open: BTreeMap<(&Name, u16), usize> = BTreeMap::new();
    let mut members: Vec<(Vec<usize>, usize)> = Vec::new();
    for (number, message) in outgoing.iter().enumerate() {
        let envelope = &message.envelope;
        let target = (&envelope.topic, envelope.key.lane(options.lanes));
        let bytes = message.body.len() + ENVELOPE_BYTES;
        let fits = |(inside, size): &(Vec<usize>, usize)| {
            inside.len() < options.pack.messages && size + bytes <= options.pack.bytes
        };
        match open.get(&target).copied().filter(|at| members.get(*at).is_some_and(fits)) {
            Some(at) => {
                members[at].0.push(number);
                members[at].1 += bytes;
            }
            None => {
                open.insert(target, members.len());
                members.push((vec![number], bytes));
            }
        }
    }
    let mut places = vec![(PackId { sender: sender.clone(), position: first }, 0); outgoing.len()];
    let mut packs = Vec::with_capacity(members.len());
    for (position, (inside, _)) in (first..).zip(members) {
        let id = PackId { sender: sender.clone(), position };
        let messages: Vec<Message> = inside.iter().map(|number| outgoing[*number].clone()).collect();
        for (index, number) in (0_u16..).zip(&inside) {
            places[*number] = (id.clone(), index);
        }
        let bytes = codec.encode(&id, &messages)?;
        let Some(head) = messages.first() else { continue };
        let (topic, lane) = (Name::clone(&head.envelope.topic), head.envelope.key.lane(options.lanes));
        let keys = messages.iter().map(|message| message.envelope.key.hash()).collect();
        packs.push(Pack { id, topic, lane, keys, bytes });
    }
    Ok((packs, places))
}

/// What an envelope adds to a body on the wire, about; only packs' sizes depend on it.
const ENVELOPE_BYTES: usize = 480;
