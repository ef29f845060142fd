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

/// Those of delivered packs that are owed: `$1` the hearers, `$2` the packs, `$3` the digests of what was delivered, where that is to
/// be compared. With the bytes only where they are others.
pub(crate) const ASKED: &str = "SELECT owed.hearer, owed.pack, topic, open, owed.digest IS DISTINCT FROM coalesce(asked.digest, owed.digest),
        CASE WHEN owed.digest <> asked.digest THEN bytes END
    FROM unnest($1::integer[], $2::bigint[], $3::bytea[]) AS asked (hearer, pack, digest)
    JOIN owed ON owed.hearer = asked.hearer AND owed.pack = asked.pack";

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

/// The open rows of each hearer, sender and topic up to the last of the packs wanted: `$1` the hearers, `$2` the packs, `$3` whether
/// each was delivered, `$4` messages and `$5` bytes of each hearer's limit. With the bytes of those that were not delivered.
pub(crate) const FILL: &str = "SELECT wanted.hearer, found.pack, found.topic, found.since, found.marks, found.keys,
        CASE WHEN found.pack = ANY (wanted.given) THEN NULL ELSE owed.bytes END, found.size
    FROM (SELECT owed.hearer, max(owed.pack) AS last, owed.topic, array_agg(owed.pack) FILTER (WHERE asked.given) AS given,
            max(asked.messages) AS messages, max(asked.bytes) AS bytes
        FROM unnest($1::integer[], $2::bigint[], $3::boolean[], $4::bigint[], $5::bigint[])
            AS asked (hearer, pack, given, messages, bytes)
        JOIN owed ON owed.hearer = asked.hearer AND owed.pack = asked.pack WHERE owed.open
        GROUP BY owed.hearer, owed.pack >> 40, owed.topic) AS wanted
    CROSS JOIN LATERAL (SELECT *, sum(size) OVER (ORDER BY pack) - size AS before FROM (SELECT pack, topic, since, marks, keys,
            octet_length(bytes) AS size FROM owed WHERE owed.hearer = wanted.hearer AND open AND owed.topic = wanted.topic
            AND pack >= (wanted.last >> 40) << 40 AND pack <= wanted.last ORDER BY pack LIMIT wanted.messages) AS first) AS found
    JOIN owed ON owed.hearer = wanted.hearer AND owed.pack = found.pack WHERE found.before <= wanted.bytes";

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
    /// Reads a row of [`FILL`], behind its hearer.
    pub(crate) fn read(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (pack, topic, since) = (row.get()?, row.name()?, row.time()?);
        let marks: Option<&[u8]> = row.get()?;
        let keys: &[u8] = row.get()?;
        let bytes = row.some_bytes()?;
        let size: i32 = row.get()?;
        let size = usize::try_from(size).unwrap_or(0);
        Ok(Self { pack, topic, since, marks: Marks::read(keys, marks), bytes, size })
    }
}

/// A delivered pack whose name is owed.
#[derive(Clone, Debug)]
pub(crate) struct AskedRow {
    pub(crate) pack: i64,
    topic: Name,
    open: bool,
    /// Whether something else was delivered under its name; then its own bytes.
    strange: Option<Option<Bytes>>,
}

impl AskedRow {
    /// Reads a row of [`ASKED`], behind its hearer.
    pub(crate) fn read(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (pack, topic, open, is_strange) = (row.get()?, row.name()?, row.get()?, row.get::<bool>()?);
        let bytes = row.some_bytes()?;
        Ok(Self { pack, topic, open, strange: is_strange.then_some(bytes) })
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
    /// Another database may have left a pack of that name at the broker: what was delivered must be what is owed.
    pub(crate) fn asked(&mut self, delivered: impl Iterator<Item = i64>, rows: Vec<AskedRow>) {
        let mut found: BTreeMap<i64, AskedRow> = rows.into_iter().map(|row| (row.pack, row)).collect();
        for pack in delivered {
            match found.remove(&pack).filter(|row| row.open) {
                Some(AskedRow { topic, strange: None, .. }) => {
                    self.delivered.insert(pack);
                    self.want(pack, topic);
                }
                Some(AskedRow { strange: Some(bytes), .. }) => {
                    self.duplicates.push(pack);
                    self.strange.insert(pack, bytes);
                }
                None => self.duplicates.push(pack),
            }
        }
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

/// Cuts the rows of [`FILL`], oldest first, at the limit.
pub(crate) fn cut(mut all: Vec<OwedRow>, mut wanted: Wanted, limit: Limit) -> Vec<Open> {
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
    given
}
