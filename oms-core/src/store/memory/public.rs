//! What becomes of packs that hearers outside the store are owed (rule 1).

use super::{parking::Sources, state::State};
use crate::{
    clock::Timestamp,
    id::{Digest, MessageId, Name},
    message::{Envelope, GroupLane, Key, Message, Pack},
    store::{Buried, End, PUBLIC, PublicPack},
};
use bytes::Bytes;

/// Removes the row of a confirmed pack; buries that of a rejected one. What is settled already stays as it is.
pub(super) fn settle(state: &mut State, public: &PublicPack, now: Timestamp) {
    let Some(pack) = state.owing.pack(&public.pack) else { return };
    let lane = GroupLane::new(PUBLIC, pack.lane);
    let places = 0..u16::try_from(pack.keys.len()).unwrap_or(u16::MAX);
    let left: Vec<u16> = places.filter(|index| state.owing.is_left(&lane, &pack.id, *index)).collect();
    if left.is_empty() {
        return;
    }
    let Some(why) = &public.rejected else {
        return state.owing.end(&lane, &public.pack, &left, End::Handled);
    };
    let buried = Buried {
        message: whole(pack, now),
        origin: Some((pack.id.clone(), 0)),
        error: Name::clone(why),
        attempts: 1,
        again: None,
    };
    state.owing.end(&lane, &public.pack, &left, End::Buried);
    state.parking.bury(&lane, buried, &Sources::default(), now);
}

/// A whole pack as one message: the store does not read what the codec wrote.
fn whole(pack: &Pack, now: Timestamp) -> Message {
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
