//! What becomes of packs that hearers outside the store are owed (rule 1).

use super::{parking::Sources, state::State};
use crate::{
    clock::Timestamp,
    id::Name,
    message::GroupLane,
    store::{Buried, End, PUBLIC, PublicPack, wire::rejected},
};

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
        message: rejected(pack, now),
        origin: Some((pack.id.clone(), 0)),
        error: Name::clone(why),
        attempts: 1,
        again: None,
    };
    state.owing.end(&lane, &public.pack, &left, End::Buried);
    state.parking.bury(&lane, buried, &Sources::default(), now);
}
