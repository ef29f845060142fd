//! Wishes that were claimed, on their way to whoever tells the gateway.

use crate::{
    present::{Book, SharedPresent, present},
    rows::{blob, name, one, stream_id},
};
use oms_core::{
    gateway::{Effect, EffectKey},
    id::MessageId,
    store::{Doing, Lease, StoreError},
};
use rusqlite::{Connection, params};

/// A wish's row, whether it may have been told, and its key.
pub(crate) type Claimed = (i64, bool, EffectKey);

/// Gives claims back when they were not brought to whoever asked: nobody was told.
pub(crate) struct Claim<'a> {
    present: &'a SharedPresent,
    wishes: Vec<Claimed>,
}

impl<'a> Claim<'a> {
    /// Claims those of these wishes that still may be, under the lock of their lane.
    pub(crate) fn take(
        shared: &'a SharedPresent,
        leases: &[Lease],
        keys: &[EffectKey],
    ) -> Result<Self, StoreError> {
        let mut memory = present(shared);
        memory.all_held(leases)?;
        Ok(Self { present: shared, wishes: memory.claim(keys) })
    }

    pub(crate) fn wishes(&self) -> &[Claimed] {
        &self.wishes
    }

    pub(crate) fn keep(mut self) {
        self.wishes.clear();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.wishes.is_empty() {
            present(self.present).give_back(self.wishes.iter().map(|(.., key)| key));
        }
    }
}

/// Reads claimed wishes.
pub(crate) fn wishes(db: &Connection, book: &Book, claimed: &[Claimed]) -> Result<Vec<Doing>, StoreError> {
    let sql = "SELECT lane, gateway, kind, stream, rank, cause, request FROM effect WHERE id = ?1";
    let mut doings = Vec::with_capacity(claimed.len());
    for (row, maybe_told, key) in claimed {
        let doing = one(db, sql, params![row], |row| {
            let cause = MessageId(u128::from_be_bytes(row.get(5)?));
            let (gateway, stream, request) = (name(row, 1)?, stream_id(row, 2)?, blob(row, 6)?);
            let effect = Effect { key: key.clone(), stream, gateway, request, cause };
            Ok(Doing { effect, lane: book.name(row.get(0)?), maybe_told: *maybe_told })
        })?;
        doings.extend(doing);
    }
    Ok(doings)
}
