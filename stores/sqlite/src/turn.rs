//! An open turn: it holds its lane, and the shared streams it loaded, until it is dropped or its commit has ended.

use crate::{
    alarm::{self, Look},
    commit::Commit,
    letters,
    lock::{Guard, Locked},
    owed,
    present::{Book, SharedPresent, present},
    rows::{newest, pack_id, pack_row},
    shared::Shared,
    wishes,
};
use async_trait::async_trait;
use oms_core::{
    clock::Timestamp,
    gateway::EffectKey,
    store::{
        Ask, Found, Local, LocalMessage, Owed, Rank, Right, StoreError, StreamId, Streams, Turn, Writes,
    },
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

struct SqliteTurn {
    store: Arc<Shared>,
    commit: Commit,
    found: Found,
    guards: Vec<Guard>,
    shared_loaded: bool,
}

/// Locks the lane, checks the epoch, then reads (rule 8).
pub(crate) async fn begin(store: &Arc<Shared>, right: &Right, ask: Ask) -> Result<Box<dyn Turn>, StoreError> {
    if ask.streams.iter().any(|stream| stream.rank == Rank::Shared) {
        return Err(StoreError::Misused("shared streams are loaded last, by themselves"));
    }
    let lane = right.lane().clone();
    let id = store.lane_ids(std::slice::from_ref(&lane)).await?[0];
    let shared = Arc::clone(store);
    let guard = shared.locks.lock(Locked::Lane(id)).await;
    let lease = match right {
        Right::Fenced(lease) => Some(lease.clone()),
        Right::Unfenced(_) => None,
    };
    let now = shared.clock.now();
    let (book, mut found) = {
        let present = present(&shared.present);
        if lease.as_ref().is_some_and(|lease| !present.holds(lease)) {
            return Err(StoreError::LostLease(lane));
        }
        let (hears, revision) = (Arc::clone(&present.hears), present.revision);
        let position = present.places.get(&id).map_or(1, |places| places.next);
        let standing = ask.answered.iter();
        let standing = standing.filter(|key| present.known.get(key).is_some_and(|wish| wish.queue.0 == id));
        let standing: BTreeSet<EffectKey> = standing.cloned().collect();
        (Arc::clone(&present.book), Found { hears, revision, position, standing, now, ..Found::default() })
    };
    let (revision, position, memory) = (found.revision, found.position, Arc::clone(&shared.present));
    let mut found = shared
        .reader
        .glance(move |db| {
            find(db, &memory, &book, id, &ask, &mut found)?;
            Ok(found)
        })
        .await?;
    shared.mark_unclaimed(&mut found.streams);
    let commit =
        Commit { shared: Arc::clone(&shared.present), lane, id, lease, revision, position, now, at: now };
    Ok(Box::new(SqliteTurn { store: shared, commit, found, guards: vec![guard], shared_loaded: false }))
}

fn find(
    db: &Connection,
    present: &SharedPresent,
    book: &Book,
    id: i64,
    ask: &Ask,
    found: &mut Found,
) -> Result<(), StoreError> {
    let mut asked = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for (number, pack) in ask.packs.iter().enumerate() {
        match book.ids.get(&pack.sender) {
            Some(sender) => {
                let row = pack_row(*sender, pack.position);
                asked.insert(row, pack.clone());
                rows.insert(row, ask.bodies.get(number));
            }
            None => found.duplicates.push(pack.clone()),
        }
    }
    let before = ask.owed_longer.map(|longer| before(found.now, longer));
    let looked = owed::look(db, id, &rows, before, ask.limit)?;
    found.duplicates.extend(looked.duplicates.iter().filter_map(|row| asked.get(row).cloned()));
    found.owed.extend(looked.rows.into_iter().map(|open| Owed {
        pack: pack_id(open.row.pack, book),
        topic: open.row.topic,
        left: open.left,
        cut: open.cut,
        count: open.row.marks.count,
        bytes: open.bytes,
        overdue: open.overdue,
    }));
    for local in &ask.local {
        found.local.extend(stands(db, present, id, local, found.now)?);
    }
    for key in &ask.answered {
        if !found.standing.contains(key) && wishes::stands(db, id, key)? {
            found.standing.insert(key.clone());
        }
    }
    found.parked = letters::parked_keys(db, id)?;
    found.streams = load(db, &ask.streams)?;
    Ok(())
}

/// The moment before which something must have been owed to be owed for longer than `longer`.
pub(crate) fn before(now: Timestamp, longer: std::time::Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(longer.as_micros()).unwrap_or(i64::MAX)))
}

fn stands(
    db: &Connection,
    present: &SharedPresent,
    id: i64,
    local: &Local,
    now: Timestamp,
) -> Result<Option<LocalMessage>, StoreError> {
    match local {
        Local::Released(seq) => letters::release(db, id, *seq, now),
        Local::Redriven(number) => letters::redrive_one(db, id, *number),
        Local::Due(stream) => {
            let Some(alarm) = alarm::find(db, stream)?.filter(|alarm| alarm.hearer == id) else {
                return Ok(None);
            };
            Ok(match alarm::look(db, stream, alarm, present, now)? {
                Look::Due(deadline, firing) => {
                    let (stream, set_at) = (stream.clone(), deadline.set_at);
                    Some(LocalMessage::Due { stream, key: deadline.key, set_at, firing })
                }
                Look::Moved(_) | Look::Waits => None,
            })
        }
    }
}

fn load(db: &Connection, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
    streams.iter().map(|id| Ok((id.clone(), newest(db, id)?))).collect()
}

#[async_trait]
impl Turn for SqliteTurn {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        let shared = streams.iter().filter(|stream| stream.rank == Rank::Shared).cloned();
        let shared: BTreeSet<Locked> = shared.map(Locked::Stream).collect();
        if !shared.is_empty() {
            if self.shared_loaded {
                return Err(StoreError::Misused("shared streams are loaded once in a turn"));
            }
            self.shared_loaded = true;
            self.guards.extend(self.store.locks.lock_all(shared).await);
        }
        let wanted = streams.clone();
        let mut loaded = self.store.reader.glance(move |db| load(db, &wanted)).await?;
        self.store.mark_unclaimed(&mut loaded);
        Ok(loaded)
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let Self { store, mut commit, guards, .. } = *self;
        commit.at = store.clock.now();
        let job = move |db: &Connection| Ok(((), commit.run(db, &writes)?));
        store.writer.write(false, guards, job).await
    }
}
