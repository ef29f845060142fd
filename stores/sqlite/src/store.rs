//! The store: what each call asks of the writer, of the reader and of what is kept in memory.

use crate::{
    alarm,
    hearers::{make_lanes, put_hears},
    letters,
    lock::Locked,
    present::{After, Book, Hears, present},
    relay, removal,
    rows::cap,
    shared::Shared,
    streams, turn, waiting,
    wishes::{Claim, Filed, Search, due, postpone, still_due, wishes},
};
use async_trait::async_trait;
use futures::future::try_join_all;
use oms_core::{
    broker::Topology,
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Limit, Pack},
    store::{
        Ask, Claimed, Counts, DeadLetter, Lease, Local, PUBLIC, Pick, Postponed, PublicPack, Recorded,
        Registered, Right, Seek, Store, StoreCapabilities, StoreError, Stream, StreamId, Turn, Waiting,
        lanes_fit,
    },
};
use rusqlite::Connection;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// A store in one SQLite file, which this process owns until the last clone and the last turn are dropped.
///
/// Calls are answered by threads of its own, a turn's few rows on the caller's, and need no runtime. A call that is dropped half-way has happened or not.
#[derive(Clone)]
pub struct SqliteStore(pub(crate) Arc<Shared>);

impl SqliteStore {
    fn known(&self, lanes: &[GroupLane]) -> Vec<(i64, GroupLane)> {
        let book = self.0.book();
        lanes.iter().filter_map(|lane| Some((*book.ids.get(lane)?, lane.clone()))).collect()
    }

    /// Stores who hears what, and that it changed.
    async fn change(&self, next: Topology) -> Result<Registered, StoreError> {
        let act = move |db: &Connection| {
            let mut hears = next.hears.clone();
            if !next.public.is_empty() {
                hears.insert(Name::from(PUBLIC), next.public.clone());
            }
            let groups = next.hears.keys().map(Name::clone).chain([Name::from(PUBLIC)]);
            let lanes = groups.flat_map(|group| (0..next.lanes).map(move |lane| (group.clone(), lane)));
            let lanes = lanes.map(|(group, lane)| GroupLane { group, lane }).collect();
            let lanes = make_lanes(db, lanes)?;
            let revision = put_hears(db, &hears, next.lanes)?;
            let hears: Hears = Arc::new(hears);
            let after = After { lanes, hears: Some((revision, next.lanes, hears)), ..After::default() };
            Ok((Registered { topology: next, revision }, after))
        };
        self.0.writer.write(true, Vec::new(), act).await
    }
}

/// So many packs take a few pages only.
const FEW: u64 = 16;

/// Those of these lanes that have positions behind the one beside them, and how many: idle lanes cost no query.
fn behind(shared: &Shared, book: &Book, after: &[(GroupLane, u64)]) -> Vec<(i64, u64, u64)> {
    let memory = present(&shared.present);
    let lane = |(lane, position): &(GroupLane, u64)| {
        let id = *book.ids.get(lane)?;
        let next = memory.places.get(&id).map_or(position.saturating_add(FEW + 2), |places| places.next);
        let packs = next.saturating_sub(1).saturating_sub(*position);
        (packs > 0).then_some((id, *position, packs))
    };
    after.iter().filter_map(lane).collect()
}

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> StoreCapabilities {
        StoreCapabilities { name: "sqlite", many_processes: false, survives_kill: true }
    }

    async fn register(&self, topology: &Topology) -> Result<Registered, StoreError> {
        if topology.hears.contains_key(PUBLIC) {
            return Err(StoreError::Misused("a group cannot have the name of the hearers outside the store"));
        }
        // No lane's lock is taken: a turn that read the older revision cannot commit.
        let (known, revision) = {
            let present = present(&self.0.present);
            (present.topology(), present.revision)
        };
        lanes_fit(topology.lanes, known.lanes)?;
        let mut next = known.clone();
        next.lanes = topology.lanes;
        next.public.extend(topology.public.iter().cloned());
        next.hears.extend(topology.hears.iter().map(|(group, topics)| (group.clone(), topics.clone())));
        present(&self.0.present).admit(topology.hears.keys());
        if next == known {
            return Ok(Registered { topology: next, revision });
        }
        self.change(next).await
    }

    async fn remove(&self, group: &str) -> Result<u64, StoreError> {
        let mut next = present(&self.0.present).topology();
        if next.hears.remove(group).is_some() {
            self.change(next).await?;
        }
        let lanes = self.0.book();
        let own = lanes.ids.iter().filter(|(lane, _)| &*lane.group == group);
        let own: BTreeSet<Locked> = own.map(|(_, id)| Locked::Lane(*id)).collect();
        let guards = self.0.locks.lock_all(own).await;
        let (shared, group) = (Arc::clone(&self.0.present), group.to_owned());
        let act = move |db: &Connection| {
            let telling = present(&shared).is_telling(&group) || removal::is_watching(db, &group)?;
            if telling || removal::is_unrelayed(db, &group)? {
                return Err(StoreError::Conflict);
            }
            let (rows, mut after) = removal::remove(db, &group)?;
            let mut present = present(&shared);
            present.evict(&group);
            let gone = present.known.all();
            let gone = gone.filter(|(_, wish)| *present.book.name(wish.queue.0).group == *group);
            after.gone = gone.map(|(key, _)| key.clone()).collect();
            Ok((rows, after))
        };
        self.0.writer.write(true, guards, act).await
    }

    async fn lease(
        &self,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let now = self.0.clock.now();
        let mut present = present(&self.0.present);
        let open: Vec<GroupLane> =
            wanted.iter().filter(|lane| !present.removed.contains(&lane.group)).cloned().collect();
        let mut owners = std::mem::take(&mut present.owners);
        let leases = owners.lease(owner, &open, time, now, &mut *present);
        present.owners = owners;
        Ok(leases)
    }

    async fn turn(&self, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
        turn::begin(&self.0, right, ask).await
    }

    async fn overdue(&self, lanes: &[(GroupLane, Duration)]) -> Result<Vec<GroupLane>, StoreError> {
        let (now, book) = (self.0.clock.now(), self.0.book());
        let known = lanes.iter().filter_map(|(lane, longer)| {
            Some((*book.ids.get(lane)?, lane.clone(), turn::before(now, *longer)))
        });
        let known: Vec<_> = known.collect();
        self.0.reader.read(move |db| relay::overdue(db, known)).await
    }

    async fn due(
        &self,
        lanes: &[GroupLane],
        limit: usize,
    ) -> Result<(Vec<(GroupLane, Local)>, Option<Duration>), StoreError> {
        let (now, book, known) = (self.0.clock.now(), self.0.book(), self.known(lanes));
        let ids: Vec<i64> = known.iter().map(|(id, _)| *id).collect();
        let find = move |db: &Connection| {
            let (ripe, next) = (alarm::ripe(db, &ids, limit, now)?, alarm::next(db, now)?);
            Ok((letters::due(db, &known, limit, now)?, ripe, next))
        };
        let ((mut due, head), ripe, alarm) = self.0.reader.read(find).await?;
        let mut next: Option<Timestamp> = head.into_iter().chain(alarm).min();
        if !ripe.is_empty() {
            let (shared, looked) = (Arc::clone(&self.0.present), ripe.len());
            let act = move |db: &Connection| {
                let due = alarm::sweep(db, ripe, &shared, now)?;
                Ok(((due, alarm::next(db, now)?), After::default()))
            };
            let (fires, alarm) = self.0.writer.write(false, Vec::new(), act).await?;
            // Those behind are looked at next, as soon as some of these have made room.
            let more = Some(now).filter(|_| looked == limit && fires.len() < looked);
            next = head.into_iter().chain(alarm).chain(more).min();
            due.extend(fires.into_iter().map(|(stream, lane)| (book.name(lane), Local::Due(stream))));
        }
        due.truncate(limit);
        Ok((due, next.map(|next| next.since(now))))
    }

    async fn cursors(&self, senders: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let book = self.0.book();
        let ids: Vec<Option<i64>> = senders.iter().map(|lane| book.ids.get(lane).copied()).collect();
        self.0.reader.read(move |db| relay::cursors(db, &ids)).await
    }

    async fn unsent(&self, after: &[(GroupLane, u64)], limit: Limit) -> Result<Vec<Pack>, StoreError> {
        let book = self.0.book();
        let after = behind(&self.0, &book, after);
        let most: u64 = after.iter().map(|(.., packs)| *packs).sum();
        let look = move |db: &Connection| relay::unsent(db, &book, &after, limit);
        match most {
            0 => Ok(Vec::new()),
            1..=FEW => self.0.reader.glance(look).await,
            _ => self.0.reader.read(look).await,
        }
    }

    async fn sent(&self, cursors: &[(GroupLane, u64)], public: &[PublicPack]) -> Result<(), StoreError> {
        let lanes: Vec<GroupLane> = cursors.iter().map(|(lane, _)| lane.clone()).collect();
        let ids = self.0.lane_ids(&lanes).await?;
        let cursors: Vec<(i64, u64)> = ids.into_iter().zip(cursors.iter().map(|(_, at)| *at)).collect();
        let (now, book, public) = (self.0.clock.now(), self.0.book(), public.to_vec());
        let act = move |db: &Connection| {
            relay::save(db, &cursors)?;
            Ok(((), relay::settle(db, &book, &public, now)?))
        };
        self.0.writer.write(false, Vec::new(), act).await
    }

    async fn collect(&self, limit: usize) -> Result<usize, StoreError> {
        // A body goes with its last owed row; only what another opening left behind can be found here.
        if !present(&self.0.present).orphans {
            return Ok(0);
        }
        let act = move |db: &Connection| Ok((relay::collect(db, cap(limit))?, After::default()));
        let removed = self.0.writer.write(false, Vec::new(), act).await?;
        if removed < limit {
            present(&self.0.present).orphans = false;
        }
        Ok(removed)
    }

    async fn claim(&self, leases: &[Lease], gateway: &str, limit: usize) -> Result<Claimed, StoreError> {
        let (now, gateway, shared) = (self.0.clock.now(), Name::from(gateway), &self.0.present);
        let (mut search, lanes, pending) = Search::begin(shared, leases, &gateway, (limit, now))?;
        let (queues, memory) = (search.queues(), Arc::clone(shared));
        let filed = if queues.is_empty() {
            Filed::default()
        } else {
            self.0.reader.glance(move |db| due(db, &memory, &queues, (limit, now))).await?
        };
        let wanted = search.choose(pending, filed, limit);
        // Each lane is let go as soon as its wishes are claimed: no lane's turn waits for another's.
        let claims = wanted.into_iter().map(|(lane, mut wanted)| async move {
            let _guard = self.0.locks.lock(Locked::Lane(lane)).await;
            if wanted.iter().any(|due| due.filed) {
                wanted = self.0.reader.glance(move |db| still_due(db, wanted, now)).await?;
            }
            Claim::take(shared, leases, wanted)
        });
        let claims = try_join_all(claims).await?;
        search.end();
        let mut claimed: Vec<_> = claims.iter().flat_map(Claim::wishes).cloned().collect();
        let next = present(shared).known.next(&lanes, &gateway, now).map(|next| next.since(now));
        if claimed.is_empty() {
            return Ok(Claimed { doings: Vec::new(), next });
        }
        claimed.sort_unstable_by_key(|(_, wish)| (wish.look, wish.row));
        let book = self.0.book();
        let doings = self.0.reader.glance(move |db| wishes(db, &book, &claimed)).await?;
        claims.into_iter().for_each(Claim::keep);
        Ok(Claimed { doings, next })
    }

    async fn postpone(&self, wishes: &[Postponed]) -> Result<(), StoreError> {
        let (now, shared, wishes) = (self.0.clock.now(), Arc::clone(&self.0.present), wishes.to_vec());
        let act = move |db: &Connection| Ok(((), postpone(db, &shared, &wishes, now)?));
        self.0.writer.write(false, Vec::new(), act).await
    }

    async fn dead_letters(
        &self,
        pick: &Pick,
        seek: Seek,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let (book, pick) = (self.0.book(), pick.clone());
        self.0.desk.read(move |db| letters::list(db, &book, &pick, seek, limit)).await
    }

    async fn streams(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(StreamId, Stream)>, StoreError> {
        let (kind, after) = (kind.to_owned(), after.map(str::to_owned));
        self.0.desk.read(move |db| streams::of_kind(db, &kind, after.as_deref(), limit)).await
    }

    async fn history(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        let (book, stream) = (self.0.book(), stream.clone());
        self.0.desk.read(move |db| streams::history(db, &book, &stream, after, limit)).await
    }

    async fn log(&self, lane: &GroupLane, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let book = self.0.book();
        let Some(id) = book.ids.get(lane).copied() else { return Ok(Vec::new()) };
        self.0.desk.read(move |db| streams::log(db, &book, id, after, limit)).await
    }

    async fn heads(&self, lanes: &[GroupLane]) -> Result<Vec<u64>, StoreError> {
        let book = self.0.book();
        let ids: Vec<Option<i64>> = lanes.iter().map(|lane| book.ids.get(lane).copied()).collect();
        self.0.desk.read(move |db| streams::heads(db, &ids)).await
    }

    async fn waiting(&self, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        let (book, key, shared) = (self.0.book(), key.map(str::to_owned), Arc::clone(&self.0.present));
        self.0.desk.read(move |db| waiting::list(db, &book, &shared, key.as_deref(), limit)).await
    }

    async fn count(&self) -> Result<Counts, StoreError> {
        Ok(present(&self.0.present).counts)
    }
}
