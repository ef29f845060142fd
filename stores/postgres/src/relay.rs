//! What the relay needs: packs after its cursor, where it stands, and what became of public packs.

use crate::{
    book::Book,
    known::Known,
    pipe::{Steps, params, query, run},
    rows::{Columns, cap, int, micros, pack_row},
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Limit, Pack},
    store::{
        PUBLIC, PublicPack, StoreError,
        marks::keys,
        wire::{pack_message, rejected},
    },
};
use std::collections::BTreeMap;
use tokio_postgres::Row;

pub(crate) const CURSORS: &str = "SELECT lane, position FROM sent WHERE lane = ANY ($1::integer[])";

/// Packs between two rows (`$1` and `$2`, of each sender) that are left for someone, in order: as many as come before `$3` messages
/// and `$4` bytes are full, all senders together, so that no byte is read that is cut off afterwards.
pub(crate) const UNSENT: &str = "SELECT found.pack, found.hearer, owed.topic, owed.keys, owed.bytes FROM (
        SELECT number, pack, hearer, sum(messages) OVER so_far - messages AS messages, sum(size) OVER so_far - size AS bytes
        FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS asked (after, before, number)
        CROSS JOIN LATERAL (SELECT DISTINCT ON (pack)
            pack, hearer, octet_length(keys) / 4 AS messages, octet_length(bytes) AS size FROM owed
            WHERE pack > asked.after AND pack < asked.before AND open ORDER BY pack LIMIT $3) AS first
        WINDOW so_far AS (ORDER BY number, pack)) AS found
    JOIN owed ON owed.hearer = found.hearer AND owed.pack = found.pack
    WHERE found.messages <= $3 AND found.bytes <= $4 ORDER BY found.number, found.pack";

const SENT: &str = "INSERT INTO sent (lane, position) SELECT * FROM unnest($1::integer[], $2::bigint[])
    ON CONFLICT (lane) DO UPDATE SET position = excluded.position WHERE sent.position <> excluded.position";
const CONFIRMED: &str =
    "DELETE FROM owed USING lane WHERE owed.pack = ANY ($1::bigint[]) AND lane.id = owed.hearer
    AND lane.grp = $2 AND owed.marks IS NULL";
const REJECTED: &str =
    "UPDATE owed SET open = false, marks = decode(repeat('02', octet_length(keys) / 4), 'hex') FROM lane
    WHERE owed.pack = ANY ($1::bigint[]) AND lane.id = owed.hearer AND lane.grp = $2 AND owed.marks IS NULL
    RETURNING owed.pack, owed.hearer, owed.topic, owed.keys, owed.bytes, moment($3)";
const BURY: &str = "INSERT INTO dead (hearer, kind, pack, place, error, attempts, time, state, message)
    VALUES ($1, $2, $3, 0, $4, 1, $5, 0, $6)";

/// The parameters of [`UNSENT`].
pub(crate) fn unsent_params(
    book: &Book,
    after: &[(GroupLane, u64)],
    limit: Limit,
) -> Option<Vec<crate::pipe::Param>> {
    let known = after.iter().filter_map(|(lane, position)| Some((*book.ids.get(lane)?, *position)));
    let (from, to): (Vec<i64>, Vec<i64>) =
        known.map(|(lane, position)| (pack_row(lane, position), pack_row(lane + 1, 0))).unzip();
    let (most, bytes) = (cap(limit.messages.max(1)), cap(limit.bytes));
    (!from.is_empty()).then(|| params![from, to, most, bytes])
}

fn pack(row: &Row, book: &Book) -> Result<(i64, i32, Pack), StoreError> {
    let mut row = Columns::of(row);
    let (place, hearer) = (row.get()?, row.get()?);
    let (topic, hashes, bytes) = (row.name()?, row.get::<&[u8]>()?, row.bytes()?);
    let (id, lane) = (book.pack(place), book.name(hearer).lane);
    Ok((place, hearer, Pack { id, topic, lane, keys: keys(hashes), bytes }))
}

/// The lanes that rows of [`UNSENT`] name.
pub(crate) fn lanes(rows: &[Row]) -> Vec<i32> {
    let packs = rows.iter().filter_map(|row| row.try_get(0).ok()).map(crate::rows::sender_of);
    packs.chain(rows.iter().filter_map(|row| row.try_get(1).ok())).collect()
}

/// Reads [`UNSENT`], cut at the limit.
pub(crate) fn unsent(rows: &[Row], book: &Book, limit: Limit) -> Result<Vec<Pack>, StoreError> {
    let (mut packs, mut messages, mut bytes) = (Vec::new(), 0, 0);
    for row in rows {
        let (_, _, pack) = pack(row, book)?;
        messages += pack.keys.len().max(1);
        bytes += pack.bytes.len();
        if !packs.is_empty() && (messages > limit.messages || bytes > limit.bytes) {
            break;
        }
        packs.push(pack);
    }
    Ok(packs)
}

/// Saves cursors, and settles public packs: a confirmed one's row goes, a rejected one is buried. What is settled stays as it is.
pub(crate) async fn sent(
    known: &Known,
    cursors: &[(GroupLane, u64)],
    public: &[PublicPack],
) -> Result<(), StoreError> {
    let lanes: Vec<GroupLane> = cursors.iter().map(|(lane, _)| lane.clone()).collect();
    let mut saved: BTreeMap<i32, i64> = BTreeMap::new();
    for (id, (_, position)) in known.lane_ids(&lanes).await?.into_iter().zip(cursors) {
        saved.insert(id, int(*position));
    }
    let book = known.book();
    let place = |pack: &PublicPack| Some(pack_row(*book.ids.get(&pack.pack.sender)?, pack.pack.position));
    let confirmed = public.iter().filter(|pack| pack.rejected.is_none());
    let confirmed: Vec<i64> = confirmed.filter_map(place).collect();
    let client = known.link.client().await?;
    let mut steps = Steps::default();
    steps.push_if(!saved.is_empty(), SENT, || {
        let (lanes, positions): (Vec<i32>, Vec<i64>) = saved.into_iter().unzip();
        params![lanes, positions]
    });
    steps.push_if(!confirmed.is_empty(), CONFIRMED, || params![confirmed, PUBLIC.to_owned()]);
    if !steps.is_empty() {
        let rows = steps.done(&client).await?;
        known.count(rows.iter().sum());
    }
    drop(client);
    for rejected in public {
        if let (Some(why), Some(place)) = (&rejected.rejected, place(rejected)) {
            reject(known, place, why).await?;
        }
    }
    Ok(())
}

async fn reject(known: &Known, place: i64, why: &Name) -> Result<(), StoreError> {
    let mut client = known.link.client().await?;
    let transaction = client.begin().await?;
    let asked = params![vec![place], PUBLIC.to_owned(), known.link.now()];
    let rows = query(&transaction, REJECTED, asked).await?;
    let book = known.book_with(lanes(&rows).into_iter()).await?;
    for row in &rows {
        let (place, hearer, pack) = pack(row, &book)?;
        let now: i64 = row.try_get(5).map_err(StoreError::unavailable)?;
        let message = rejected(&pack, Timestamp(now));
        let (kind, bytes) = (message.envelope.kind.to_string(), pack_message(&message));
        run(&transaction, BURY, params![hearer, kind, place, why.to_string(), now, bytes]).await?;
    }
    transaction.commit().await?;
    known.count(2 * rows.len() as u64);
    Ok(())
}

/// The parameters of [`crate::owed::OVERDUE`], beside the lanes that are known.
pub(crate) fn overdue_params(
    known: &Known,
    lanes: &[(GroupLane, std::time::Duration)],
) -> (Vec<i32>, Vec<i64>) {
    let book = known.book();
    let asked = lanes.iter().filter_map(|(lane, longer)| Some((*book.ids.get(lane)?, micros(*longer))));
    asked.unzip()
}
