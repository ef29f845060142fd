//! What a lane owes itself: what was asked for, everything earlier of the same sender and topic, and all that is overdue.

use crate::rows::{Columns, sender_of};
use bytes::Bytes;
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::Limit,
    store::{
        StoreError,
        marks::{LEFT, Marks},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;

/// Asked packs that are owed: `$1` the hearer, `$2` the packs.
pub(crate) const ASKED: &str =
    "SELECT pack, topic, since, marks, keys, bytes FROM owed WHERE hearer = $1 AND pack = ANY ($2::bigint[])";

/// What is overdue, oldest first for each sender, `$2` rows of each: `$3` is the longest that something may be owed, `$4` the
/// time. A sender's rows do not grow younger along its positions, so that nothing behind one that is young enough is looked at.
pub(crate) const LATE: &str = "WITH RECURSIVE senders (pack) AS (
        (SELECT pack FROM owed WHERE hearer = $1 AND open ORDER BY pack LIMIT 1)
        UNION ALL
        SELECT next.pack FROM senders CROSS JOIN LATERAL (SELECT pack FROM owed WHERE hearer = $1 AND open
            AND pack >= ((senders.pack >> 40) + 1) << 40 ORDER BY pack LIMIT 1) AS next)
    SELECT late.pack, late.topic FROM senders CROSS JOIN LATERAL (SELECT pack, topic, since FROM owed
        WHERE hearer = $1 AND open AND pack >= senders.pack AND pack < ((senders.pack >> 40) + 1) << 40
        ORDER BY pack LIMIT $2) AS late WHERE late.since < moment($4) - $3";

/// The open rows of each sender and topic up to the last of the packs `$2`, `$3` messages and `$4` bytes of each; with the bytes of
/// those that are not in `$5`.
pub(crate) const FILL: &str = "SELECT found.pack, found.topic, found.since, found.marks, found.keys,
        CASE WHEN found.pack = ANY ($5::bigint[]) THEN NULL ELSE owed.bytes END, found.size
    FROM (SELECT max(pack) AS last, topic FROM owed WHERE hearer = $1 AND open AND pack = ANY ($2::bigint[])
        GROUP BY pack >> 40, topic) AS wanted
    CROSS JOIN LATERAL (SELECT *, sum(size) OVER (ORDER BY pack) - size AS before FROM (SELECT pack, topic, since, marks, keys,
            octet_length(bytes) AS size FROM owed WHERE hearer = $1 AND open AND owed.topic = wanted.topic
            AND pack >= (wanted.last >> 40) << 40 AND pack <= wanted.last ORDER BY pack LIMIT $3) AS first) AS found
    JOIN owed ON owed.hearer = $1 AND owed.pack = found.pack WHERE found.before <= $4";

/// Those of lanes (`$1`) to which something open has been owed for longer than the times beside them (`$2`).
pub(crate) const OVERDUE: &str = "WITH RECURSIVE first (hearer, longer, pack) AS (
        SELECT asked.hearer, asked.longer, (SELECT pack FROM owed WHERE owed.hearer = asked.hearer AND open ORDER BY pack LIMIT 1)
            FROM unnest($1::integer[], $2::bigint[]) AS asked (hearer, longer)
        UNION ALL
        SELECT hearer, longer, (SELECT pack FROM owed WHERE owed.hearer = first.hearer AND open
            AND pack >= ((first.pack >> 40) + 1) << 40 ORDER BY pack LIMIT 1) FROM first WHERE pack IS NOT NULL)
    SELECT DISTINCT first.hearer FROM first JOIN owed USING (hearer, pack) WHERE owed.since < moment($3) - first.longer";

/// One owed row.
#[derive(Clone, Debug)]
pub(crate) struct OwedRow {
    pub(crate) pack: i64,
    pub(crate) topic: Name,
    pub(crate) since: Timestamp,
    pub(crate) marks: Marks,
    /// Left out where whoever asked has them.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) size: usize,
}

impl OwedRow {
    /// Reads pack, topic, since, marks, keys, bytes.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let mut row = Columns::of(row);
        let (pack, topic, since) = (row.get()?, row.name()?, row.time()?);
        let marks: Option<&[u8]> = row.get()?;
        let keys: &[u8] = row.get()?;
        let bytes = row.some_bytes()?;
        let size = bytes.as_ref().map_or(0, Bytes::len);
        Ok(Self { pack, topic, since, marks: Marks::read(keys, marks), bytes, size })
    }

    /// Reads a row of [`FILL`].
    fn fill(row: &Row) -> Result<Self, StoreError> {
        let size: i32 = row.try_get(6).map_err(StoreError::unavailable)?;
        Ok(Self { size: usize::try_from(size).unwrap_or(0), ..Self::read(row)? })
    }
}

/// The last pack that is wanted of each sender and topic.
pub(crate) type Ends = BTreeMap<(i32, Name), i64>;

/// Which of the asked packs are owed, byte for byte, and how far each sender's topic is wanted therefore.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) ends: Ends,
    pub(crate) delivered: BTreeSet<i64>,
    pub(crate) duplicates: Vec<i64>,
    pub(crate) late: BTreeSet<i64>,
    /// Owed under a name that something else was brought under.
    strange: BTreeMap<i64, Option<Bytes>>,
}

impl Wanted {
    /// Another database may have left a pack of that name at the broker: what was brought must be what is owed.
    pub(crate) fn asked(
        &mut self,
        asked: &BTreeMap<i64, Option<&Bytes>>,
        rows: &[Row],
    ) -> Result<(), StoreError> {
        let mut found = BTreeMap::new();
        for row in rows {
            let row = OwedRow::read(row)?;
            found.insert(row.pack, row);
        }
        for (pack, brought) in asked {
            let is_same = |row: &OwedRow| brought.is_none_or(|brought| row.bytes.as_ref() == Some(brought));
            match found.remove(pack).filter(|row| row.marks.is_open()) {
                Some(row) if is_same(&row) => {
                    self.delivered.insert(*pack);
                    self.want(*pack, row.topic);
                }
                Some(row) => {
                    self.duplicates.push(*pack);
                    self.strange.insert(*pack, row.bytes);
                }
                None => self.duplicates.push(*pack),
            }
        }
        Ok(())
    }

    pub(crate) fn late(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let mut row = Columns::of(row);
            let pack = row.get()?;
            self.late.insert(pack);
            self.want(pack, row.name()?);
        }
        Ok(())
    }

    fn want(&mut self, pack: i64, topic: Name) {
        let end = self.ends.entry((sender_of(pack), topic)).or_insert(pack);
        *end = pack.max(*end);
    }
}

/// An owed row with what is given out of it.
pub(crate) struct Open {
    pub(crate) row: OwedRow,
    pub(crate) left: Vec<u16>,
    pub(crate) cut: bool,
}

/// Reads the rows of [`FILL`], oldest first, and cuts them at the limit.
pub(crate) fn cut(rows: &[Row], mut wanted: Wanted, limit: Limit) -> Result<Vec<Open>, StoreError> {
    let mut all: Vec<OwedRow> = rows.iter().map(OwedRow::fill).collect::<Result<_, _>>()?;
    all.sort_by_key(|row| row.pack);
    // Senders take turns by age; within one sender and topic the order is that of its positions, whatever the clock said.
    let mut ages: BTreeMap<(i32, Name), Timestamp> = BTreeMap::new();
    let mut aged: Vec<(Timestamp, OwedRow)> = Vec::with_capacity(all.len());
    for mut row in all {
        let lane = (sender_of(row.pack), row.topic.clone());
        if wanted.ends.get(&lane).is_none_or(|end| row.pack > *end) {
            continue;
        }
        if let Some(bytes) = wanted.strange.remove(&row.pack) {
            row.bytes = bytes;
        }
        let age = ages.entry(lane).or_insert(row.since);
        *age = row.since.max(*age);
        aged.push((*age, row));
    }
    aged.sort_by_key(|(age, _)| *age);
    let (mut room, mut bytes) = (limit.messages.max(1), 0);
    let mut given: Vec<Open> = Vec::new();
    for (_, row) in aged {
        bytes += row.size;
        if room == 0 || (bytes > limit.bytes && !given.is_empty()) {
            break;
        }
        let mut left = row.marks.places(&[LEFT]);
        let cut = left.len() > room;
        left.truncate(room);
        room -= left.len();
        given.push(Open { row, left, cut });
    }
    Ok(given)
}
