//! Wishes that were claimed, on their way to whoever tells the gateway.

use crate::{
    present::{Book, SharedPresent, present},
    rows::{blob, name, one, stream_id},
};
use oms_core::{
    gateway::{Effect, EffectKey},
    id::MessageId,
    store::{Doing, StoreError},
};
use rusqlite::{Connection, params};

/// Gives claims back when they were not brought to whoever asked: nobody was told.
pub(crate) struct Claim<'a> {
    pub(crate) present: &'a SharedPresent,
    pub(crate) keys: Option<Vec<EffectKey>>,
}

impl Claim<'_> {
    pub(crate) fn keep(mut self) {
        self.keys = None;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(keys) = self.keys.take() {
            present(self.present).give_back(&keys);
        }
    }
}

/// Reads claimed wishes.
pub(crate) fn wishes(
    db: &Connection,
    book: &Book,
    claimed: &[(i64, bool, EffectKey)],
) -> Result<Vec<Doing>, StoreError> {
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
