//! Dead letters and parked messages as they are read.

use crate::{
    book::Book,
    rows::{Columns, int},
};
use bytes::Bytes;
use oms_core::{
    id::Name,
    store::{
        DeadLetter, DeadLetterState, Local, LocalMessage, Pick, Seek, StoreError,
        wire::{Damaged, unpack_message},
    },
};
use std::collections::BTreeMap;
use tokio_postgres::Row;

pub(crate) const BURIED: i16 = 0;
pub(crate) const REDRIVEN: i16 = 1;
pub(crate) const HANDLED: i16 = 2;
/// Redriven, and parked since: its release stands for it.
pub(crate) const REDRIVEN_PARKED: i16 = 3;
/// A copy was sent in its place.
pub(crate) const REPLACED: i16 = 4;

/// Parked messages of a lane (`$1`) by their places (`$2`), whether each is the head of its key, and whether its time (`$3`) has
/// come.
pub(crate) const RELEASED: &str = "SELECT seq, message, pack, place, letter, attempts,
        (next IS NULL OR next <= moment($3)) AND seq = (SELECT min(head.seq) FROM parked AS head
            WHERE head.hearer = parked.hearer AND head.key = parked.key)
    FROM parked WHERE hearer = $1 AND seq = ANY ($2::bigint[])";

/// Dead letters of a lane (`$1`) by their numbers (`$2`).
pub(crate) const LETTERS: &str =
    "SELECT number, message, pack, place, number, attempts, state = 1, state FROM dead
    WHERE hearer = $1 AND number = ANY ($2::bigint[])";

/// The heads of all keys of lanes: where they lie, and from when on each may be tried.
pub(crate) const HEADS: &str = "SELECT DISTINCT ON (hearer, key) hearer, seq, coalesce(next, 0) FROM parked
    WHERE hearer = ANY ($1::integer[]) ORDER BY hearer, key, seq";

/// The dead letters of lanes that are to be handled again.
pub(crate) const REDRIVEN_OF: &str =
    "SELECT hearer, number FROM dead WHERE hearer = ANY ($1::integer[]) AND state = 1
    ORDER BY hearer, number LIMIT $2";

/// A page of dead letters: numbers from `$1` to `$2`, of kind `$3`, in state `$4` or `$5`, at most `$6`.
pub(crate) const RISING: &str =
    "SELECT number, hearer, message, pack, place, error, attempts, time, state FROM dead
    WHERE number BETWEEN $1 AND $2 AND ($3::text IS NULL OR kind = $3)
        AND ($4::smallint IS NULL OR state IN ($4, $5::smallint)) ORDER BY number LIMIT $6";
/// The same from the end.
pub(crate) const FALLING: &str =
    "SELECT number, hearer, message, pack, place, error, attempts, time, state FROM dead
    WHERE number BETWEEN $1 AND $2 AND ($3::text IS NULL OR kind = $3)
        AND ($4::smallint IS NULL OR state IN ($4, $5::smallint)) ORDER BY number DESC LIMIT $6";

/// A message that was put aside: its bytes, the owed place it came from, and the dead letter that it is.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    pub(crate) message: Bytes,
    pub(crate) origin: Option<(i64, u16)>,
    pub(crate) letter: Option<i64>,
    pub(crate) attempts: u32,
    /// Whether it may be handled now.
    pub(crate) ready: bool,
    /// The state of a dead letter.
    pub(crate) state: i16,
}

/// Reads [`RELEASED`] or [`LETTERS`], by number.
pub(crate) fn asides(rows: &[Row]) -> Result<BTreeMap<i64, Aside>, StoreError> {
    let mut found = BTreeMap::new();
    for row in rows {
        let state = if row.len() > 7 { row.try_get(7).map_err(StoreError::unavailable)? } else { 0 };
        let mut row = Columns::of(row);
        let (number, message) = (row.get()?, row.bytes()?);
        let (pack, place): (Option<i64>, Option<i32>) = (row.get()?, row.get()?);
        let place = place.and_then(|place| u16::try_from(place).ok());
        let (letter, attempts, ready) = (row.get()?, row.small()?, row.get()?);
        found.insert(number, Aside { message, origin: pack.zip(place), letter, attempts, ready, state });
    }
    Ok(found)
}

/// The local messages of those that may be handled now.
pub(crate) fn local(
    hints: &[Local],
    parked: &BTreeMap<i64, Aside>,
    dead: &BTreeMap<i64, Aside>,
) -> Result<Vec<LocalMessage>, StoreError> {
    let mut found = Vec::new();
    for hint in hints {
        let of = |all: &BTreeMap<i64, Aside>, number| {
            let aside = all.get(&int(number)).filter(|aside| aside.ready)?;
            Some(unpack_message(&aside.message).map(|message| (message, aside.attempts)))
        };
        match hint {
            Local::Released(seq) => {
                if let Some((message, attempts)) = of(parked, *seq).transpose()? {
                    found.push(LocalMessage::Released { seq: *seq, message, attempts });
                }
            }
            Local::Redriven(number) => {
                if let Some((message, attempts)) = of(dead, *number).transpose()? {
                    found.push(LocalMessage::Redriven { number: *number, message, attempts });
                }
            }
            Local::Due(_) => {}
        }
    }
    Ok(found)
}

/// How a state is stored: one that was redriven may be parked since.
fn stored(state: DeadLetterState) -> (i16, i16) {
    match state {
        DeadLetterState::Buried => (BURIED, BURIED),
        DeadLetterState::Redriven => (REDRIVEN, REDRIVEN_PARKED),
        DeadLetterState::Handled => (HANDLED, HANDLED),
        DeadLetterState::Replaced => (REPLACED, REPLACED),
    }
}

/// A walk over the dead letters that may be meant, page by page.
pub(crate) struct Walk {
    from: i64,
    to: i64,
    rises: bool,
}

/// How many rows are read at a time.
pub(crate) const PAGE: i64 = 64;

impl Walk {
    pub(crate) fn begin(pick: &Pick, seek: Seek) -> Self {
        let span = pick.span();
        let (from, to) = (int(*span.start()), int(*span.end()));
        match seek {
            Seek::After(after) => Self { from: from.max(int(after.saturating_add(1))), to, rises: true },
            Seek::Before(before) => Self { from, to: to.min(int(before.saturating_sub(1))), rises: false },
        }
    }

    pub(crate) fn sql(&self) -> &'static str {
        if self.rises { RISING } else { FALLING }
    }

    pub(crate) fn params(&self, pick: &Pick) -> Vec<crate::pipe::Param> {
        let kind = pick.kind.as_ref().map(Name::to_string);
        let (state, other) = pick.state.map(stored).unzip();
        crate::pipe::params![self.from, self.to, kind, state, other, PAGE]
    }

    /// Goes on behind a page; says whether there may be more.
    pub(crate) fn next(&mut self, rows: &[Row]) -> Result<bool, StoreError> {
        let Some(last) = rows.last() else { return Ok(false) };
        let last: i64 = Columns::of(last).get()?;
        if self.rises {
            self.from = last + 1;
        } else {
            self.to = last - 1;
        }
        Ok(rows.len() as i64 == PAGE)
    }
}

/// The lanes that a page names.
pub(crate) fn lanes(rows: &[Row]) -> Vec<i32> {
    let own = rows.iter().filter_map(|row| row.try_get::<_, i32>(1).ok());
    let senders = rows.iter().filter_map(|row| row.try_get::<_, Option<i64>>(3).ok().flatten());
    own.chain(senders.map(crate::rows::sender_of)).collect()
}

/// A dead letter; `None` when its bytes are damaged.
pub(crate) fn whole(row: &Row, book: &Book) -> Result<DeadLetter, StoreError> {
    let mut row = Columns::of(row);
    let (number, lane, message) = (row.number()?, book.name(row.get()?), row.bytes()?);
    let (pack, place): (Option<i64>, Option<i32>) = (row.get()?, row.get()?);
    let place = place.and_then(|place| u16::try_from(place).ok());
    let (error, attempts, time) = (row.name()?, row.small()?, row.time()?);
    let state = match row.get::<i16>()? {
        BURIED => DeadLetterState::Buried,
        HANDLED => DeadLetterState::Handled,
        REPLACED => DeadLetterState::Replaced,
        _ => DeadLetterState::Redriven,
    };
    let message = unpack_message(&message).map_err(|damaged: Damaged| StoreError::from(damaged))?;
    let origin = pack.zip(place).map(|(pack, place)| (book.pack(pack), place));
    Ok(DeadLetter { number, lane, message, origin, error, attempts, time, state })
}
