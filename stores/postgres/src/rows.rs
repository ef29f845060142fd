//! Rows as values: lanes and packs as numbers, names, and what an error of PostgreSQL means.

use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    id::{Digest, Name},
    store::{Deadline, Rank, StoreError, StreamId},
};
use std::time::Duration;
use tokio_postgres::{Error, Row, error::SqlState};

const POSITION_BITS: u32 = 40;

/// A commit was held against what its turn read, and something had moved on.
pub(crate) const MOVED: &str = "OM001";

/// What an error of PostgreSQL means to the caller.
pub(crate) fn failed(error: Error) -> StoreError {
    told(&error)
}

/// The same of an error that is told to several.
pub(crate) fn told(error: &Error) -> StoreError {
    let words = || crate::error::whole(error);
    let Some(code) = error.code() else { return StoreError::unavailable(words()) };
    if [SqlState::UNIQUE_VIOLATION, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
        .contains(code)
        || code.code() == MOVED
    {
        return StoreError::Conflict;
    }
    let said = || error.as_db_error().map(|said| said.message().to_owned()).unwrap_or_default();
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return StoreError::Unfit(format!("the database refuses: {}; grant it with the role script", said()));
    }
    if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_FUNCTION, SqlState::UNDEFINED_COLUMN].contains(code) {
        return StoreError::Unfit(format!("the schema is not ours: {}; name another one", said()));
    }
    if [SqlState::PROGRAM_LIMIT_EXCEEDED, SqlState::CHARACTER_NOT_IN_REPERTOIRE].contains(code) {
        return StoreError::refused(words());
    }
    StoreError::unavailable(words())
}

/// Whether the database itself said so, and goes on: class 57 is one that stops, but for a statement that took too long.
pub(crate) fn was_answered(error: &Error) -> bool {
    let stops = |code: &SqlState| code.code().starts_with("57") && *code != SqlState::QUERY_CANCELED;
    error.as_db_error().is_some_and(|said| !stops(said.code()))
}

/// Numbers of PostgreSQL are signed; ours are not, and never that large.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was stored by [`int`].
pub(crate) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A limit as PostgreSQL counts it.
pub(crate) fn cap(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A time-span in microseconds.
pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

/// The row of a pack: its sender above its position.
pub(crate) fn pack_row(sender: i32, position: u64) -> i64 {
    (i64::from(sender) << POSITION_BITS) | int(position).min((1 << POSITION_BITS) - 1)
}

/// The sender's lane of a pack's row.
pub(crate) fn sender_of(row: i64) -> i32 {
    i32::try_from(row >> POSITION_BITS).unwrap_or(i32::MAX)
}

/// The position of a pack's row.
pub(crate) fn position_of(row: i64) -> u64 {
    uint(row & ((1 << POSITION_BITS) - 1))
}

/// What stands for the bytes of a pack where two are compared.
pub(crate) fn digest(bytes: &Bytes) -> u128 {
    Digest::new("pack").bytes(bytes).finish()
}

pub(crate) fn rank(rank: Rank) -> i16 {
    match rank {
        Rank::Keyed => 0,
        Rank::Shared => 1,
    }
}

/// Reads columns in their order.
pub(crate) struct Columns<'a>(&'a Row, usize);

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a Row) -> Self {
        Self(row, 0)
    }

    /// Those behind the first `many`.
    pub(crate) fn behind(row: &'a Row, many: usize) -> Self {
        Self(row, many)
    }

    /// The next column.
    pub(crate) fn get<T: tokio_postgres::types::FromSql<'a>>(&mut self) -> Result<T, StoreError> {
        let value = self.0.try_get(self.1).map_err(StoreError::unavailable);
        self.1 += 1;
        value
    }

    pub(crate) fn name(&mut self) -> Result<Name, StoreError> {
        self.get::<&str>().map(Name::from)
    }

    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        self.get().map(uint)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.get().map(Timestamp)
    }

    pub(crate) fn small<T: TryFrom<i32>>(&mut self) -> Result<T, StoreError> {
        let number: i32 = self.get()?;
        T::try_from(number).map_err(|_| oms_core::store::wire::Damaged.into())
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, StoreError> {
        self.get::<&[u8]>().map(Bytes::copy_from_slice)
    }

    pub(crate) fn some_bytes(&mut self) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get::<Option<&[u8]>>()?.map(Bytes::copy_from_slice))
    }

    /// Sixteen bytes, big end first.
    pub(crate) fn wide(&mut self) -> Result<u128, StoreError> {
        let bytes: &[u8] = self.get()?;
        bytes.try_into().map(u128::from_be_bytes).map_err(|_| oms_core::store::wire::Damaged.into())
    }

    /// A stream's name in three columns: kind, id, rank.
    pub(crate) fn stream(&mut self) -> Result<StreamId, StoreError> {
        let (kind, id) = (self.name()?, self.name()?);
        let rank = if self.get::<i16>()? == 0 { Rank::Keyed } else { Rank::Shared };
        Ok(StreamId { rank, kind, id })
    }

    pub(crate) fn deadline(&mut self) -> Result<Option<Deadline>, StoreError> {
        let text: Option<&str> = self.get()?;
        text.map(serde_json::from_str).transpose().map_err(StoreError::unavailable)
    }
}

/// Streams as three arrays of parameters: kinds, ids, ranks.
pub(crate) fn columns<'a>(
    streams: impl IntoIterator<Item = &'a StreamId>,
) -> (Vec<String>, Vec<String>, Vec<i16>) {
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for stream in streams {
        all.0.push(stream.kind.to_string());
        all.1.push(stream.id.to_string());
        all.2.push(rank(stream.rank));
    }
    all
}
