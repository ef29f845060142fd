//! Bugs in what a turn finds.

use super::layer::Layer;
use crate::world::World;
use futures::FutureExt as _;
use oms_core::{
    message::PackId,
    store::{Ask, Found, Owed, Store as _},
};
use std::sync::Arc;

/// Has no bytes of what the relay has already sent.
pub(super) struct BodiesDeletedEarly(pub(super) Arc<World>);

impl BodiesDeletedEarly {
    fn was_sent(&self, pack: &PackId) -> bool {
        let read = self.0.store.cursors(std::slice::from_ref(&pack.sender)).now_or_never();
        let cursor = read.and_then(Result::ok).and_then(|cursors| cursors.first().copied());
        cursor.is_some_and(|cursor| cursor >= pack.position)
    }
}

impl Layer for BodiesDeletedEarly {
    fn found(&self, _: &Ask, found: &mut Found) {
        found.owed.retain(|owed| owed.bytes.is_none() || !self.was_sent(&owed.pack));
    }
}

/// Takes what was delivered, and leaves what is owed earlier.
pub(super) struct EarlierOwedNotFirst;

impl Layer for EarlierOwedNotFirst {
    fn found(&self, _: &Ask, found: &mut Found) {
        let delivered = |owed: &Owed| owed.bytes.is_none();
        if found.owed.iter().any(delivered) {
            found.owed.retain(|owed| delivered(owed) || owed.overdue);
        }
    }
}

/// Does not see that a key is parked.
pub(super) struct ParkedKeyNotChecked;

impl Layer for ParkedKeyNotChecked {
    fn found(&self, _: &Ask, found: &mut Found) {
        found.parked.clear();
    }
}
