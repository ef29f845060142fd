//! The store: what each call asks of the database.

use crate::{
    alarm, hearers, lease, letters,
    lock::Locked,
    owed,
    pipe::{Steps, params, rows},
    relay,
    rows::{Columns, cap, int, rank},
    shared::Shared,
    streams, turn, waiting, wishes,
};
use async_trait::async_trait;
use oms_core::{
    broker::Topology,
    clock::Timestamp,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Lease, Local, Pick, Postponed, PublicPack, Recorded, Registered,
        Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Turn, Waiting,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A store in one schema of a PostgreSQL database, which several processes share.
///
/// Clones share connections. Nothing in the database is locked while a turn is open: what another process did meanwhile is found out
/// by its commit. A call that is dropped half-way has happened or not, and leaves no lock behind. It needs the runtime that it was
/// opened on.
#[derive(Clone)]
pub struct PostgresStore(pub(crate) Arc<Shared>);

const COUNTS: &str = "SELECT (SELECT count(*) FROM owed), (SELECT count(*) FROM parked),
    (SELECT count(*) FROM dead WHERE state = 0), (SELECT count(*) FROM effect)";

#[async_trait]
impl Store for PostgresStore {
    fn capabilities(&self) -> StoreCapabilities {
        StoreCapabilities { name: "postgres", many_processes: true, survives_kill: true }
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        hearers::register(&self.0.known, topology).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        hearers::unhear(&self.0.known, group).await?;
        let own = self.0.known.book().of_group(group).into_iter().map(Locked::Lane);
        let _guards = self.0.locks.lock_all(own.collect()).await;
        hearers::remove(&self.0.known, group).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        lease::lease(&self.0.known, owner, wanted, time).await
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        turn::begin(&self.0, right, ask).await
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        let (ids, longer) = relay::overdue_params(&self.0.known, lanes);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.0.known.link.client().await?;
        let found = rows(&client, owed::OVERDUE, params![ids, longer, self.0.known.link.now()]).await?;
        let book = self.0.known.book();
        found.iter().map(|row| Ok(book.name(Columns::of(row).get()?))).collect()
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        let book = self.0.known.book();
        let ids: Vec<i32> = lanes.iter().filter_map(|lane| book.ids.get(lane).copied()).collect();
        if ids.is_empty() {
            return Ok((Vec::new(), None));
        }
        let client = self.0.known.link.client().await?;
        let mut steps = Steps::default();
        let heads = steps.push(letters::HEADS, params![ids.clone()]);
        let redriven = steps.push(letters::REDRIVEN_OF, params![ids.clone(), cap(limit)]);
        let answers = steps.snapshot(&client).await?;
        let (fires, mut next, now) =
            alarm::sweep(&client, &self.0.known.link, &book, (&ids, cap(limit))).await?;
        let mut due: Vec<(GroupLane, Local)> = Vec::new();
        for row in answers.of(heads) {
            let mut row = Columns::of(row);
            let (lane, seq, time): (i32, u64, Timestamp) = (row.get()?, row.number()?, row.time()?);
            if time <= now {
                due.push((book.name(lane), Local::Released(seq)));
            } else {
                next = next.into_iter().chain([time]).min();
            }
        }
        due.sort_by(|one, other| one.1.cmp(&other.1));
        for row in answers.of(redriven) {
            let mut row = Columns::of(row);
            due.push((book.name(row.get()?), Local::Redriven(row.number()?)));
        }
        due.extend(fires.into_iter().map(|(stream, lane)| (book.name(lane), Local::Due(stream))));
        due.truncate(limit);
        Ok((due, next.map(|next| next.since(now))))
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let ids = self.0.known.find(senders).await?;
        let known: Vec<i32> = ids.iter().copied().flatten().collect();
        let client = self.0.known.link.client().await?;
        let mut found = BTreeMap::new();
        for row in &rows(&client, relay::CURSORS, params![known]).await? {
            let mut row = Columns::of(row);
            found.insert(row.get::<i32>()?, row.number()?);
        }
        Ok(ids.iter().map(|id| id.and_then(|id| found.get(&id).copied()).unwrap_or(0)).collect())
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        let known = &self.0.known;
        let Some(asked) = relay::unsent_params(&known.book(), after, limit) else { return Ok(Vec::new()) };
        let found = rows(&known.link.client().await?, relay::UNSENT, asked).await?;
        let book = known.book_with(relay::lanes(&found).into_iter()).await?;
        relay::unsent(&found, &book, limit)
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        relay::sent(&self.0.known, cursors, public).await
    }

    async fn collect(&self, _: usize) -> Result<usize, StoreError> {
        // Every owed row has its own bytes, which go with it.
        Ok(0)
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        wishes::claim(&self.0, leases, gateway, limit).await
    }

    async fn postpone(&self, postponed: &[Postponed]) -> Result<(), StoreError> {
        wishes::postpone(&self.0.known, postponed).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (mut walk, mut found) = (letters::Walk::begin(pick, seek), Vec::new());
        loop {
            let page = rows(&self.0.known.link.client().await?, walk.sql(), walk.params(pick)).await?;
            let book = self.0.known.book_with(letters::lanes(&page).into_iter()).await?;
            for row in &page {
                if found.len() >= limit {
                    return Ok(found);
                }
                found.extend(Some(letters::whole(row, &book)?).filter(|letter| pick.fits(letter)));
            }
            if !walk.next(&page)? {
                return Ok(found);
            }
        }
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        let client = self.0.known.link.client().await?;
        let asked = params![kind.to_owned(), after.map(str::to_owned), cap(limit)];
        let mut ids = BTreeSet::new();
        for row in &rows(&client, streams::OF_KIND, asked).await?[..] {
            let (stream, number): (&str, i16) = (
                row.try_get(0).map_err(StoreError::unavailable)?,
                row.try_get(1).map_err(StoreError::unavailable)?,
            );
            let id = StreamId::keyed(kind, stream);
            ids.insert(if number == rank(id.rank) { id } else { StreamId::shared(kind, stream) });
        }
        if limit == 0 || ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::with_capacity(ids.len());
        for row in &rows(&client, streams::NEWEST, streams::asked(&ids)).await? {
            let (id, stream, _) = streams::newest(row)?;
            found.push((id, stream));
        }
        found.sort_by(|(one, _), (other, _)| (&one.id, rank(one.rank)).cmp(&(&other.id, rank(other.rank))));
        Ok(found)
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        let (kind, id) = (stream.kind.to_string(), stream.id.to_string());
        let asked = params![kind, id, rank(stream.rank), int(after), cap(limit)];
        let found = rows(&self.0.known.link.client().await?, streams::HISTORY, asked).await?;
        let book = self.0.known.book_with(streams::lanes(&found).into_iter()).await?;
        streams::history(&found, &book, after, limit)
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let Some(id) = self.0.known.find(std::slice::from_ref(lane)).await?.into_iter().flatten().next()
        else {
            return Ok(Vec::new());
        };
        let asked = params![id, int(after), cap(limit.max(1) - 1)];
        let found = rows(&self.0.known.link.client().await?, streams::LOG, asked).await?;
        streams::log(&found, &self.0.known.book(), limit)
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let ids = self.0.known.find(lanes).await?;
        let known: Vec<i32> = ids.iter().copied().flatten().collect();
        let found = rows(&self.0.known.link.client().await?, streams::ENDS, params![known]).await?;
        streams::ends(&found, &ids)
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        waiting::list(&self.0.known, key, limit).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        let found = rows(&self.0.known.link.client().await?, COUNTS, params![]).await?;
        let (rows_written, commits) = self.0.known.written();
        let mut counts = Counts { rows_written, commits, ..Counts::default() };
        if let Some(row) = found.first() {
            let mut row = Columns::of(row);
            (counts.owed, counts.parked) = (row.number()?, row.number()?);
            (counts.buried, counts.effects) = (row.number()?, row.number()?);
        }
        Ok(counts)
    }
}
