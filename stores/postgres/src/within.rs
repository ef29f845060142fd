//! Turns within a transaction of the user's own: what they open is there with the user's commit, or never was.

use crate::{
    commit::{Read, There, calls, plan},
    heads::Head,
    known::Known,
    pipe::{Steps, params},
    reads::{LANES, LaneRow},
    rows::{Columns, failed, uint},
    shared::Shared,
    store::PostgresStore,
    streams,
    turn::{at, lane_row},
};
use async_trait::async_trait;
use oms_core::{
    clock::Timestamp,
    store::{Ask, Found, Rank, Right, StoreError, StreamId, Streams, Turn, Within, Writes},
};
use std::{collections::BTreeSet, sync::Arc};
use tokio_postgres::Transaction;

/// Somebody's transaction, and the settings in it that ours stand in for: where tables are looked for, how long locks are waited for.
const THEIRS: &str = "SELECT current_setting('search_path'), current_setting('lock_timeout'),
    current_setting('transaction_isolation') = 'read committed'";

const SET: &str = "SELECT set_config('search_path', $1, true), set_config('lock_timeout', $2, true)";

/// What a lane is before it is read, so that what is read stays true.
const LOCK: &str = "SELECT FROM lane WHERE id = $1 FOR NO KEY UPDATE";

impl PostgresStore {
    /// Lets orders be placed within a transaction of the user's own, on this database: [`oms_core::oms::Oms::place_in`].
    ///
    /// The transaction is READ COMMITTED, and the role in it has the rights of [`crate::role_script`]. A lane that somebody else's
    /// transaction holds is waited for as long as the store's time-out says.
    ///
    /// ```no_run
    /// # async fn checkout(oms: oms_core::oms::Oms, store: oms_postgres::PostgresStore, mut client: tokio_postgres::Client,
    /// #     basket: oms_core::oms::Placement) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = client.transaction().await?;
    /// transaction.execute("UPDATE basket SET state = 'ordered' WHERE id = $1", &[&7]).await?;
    /// for placed in oms.place_in(&mut store.within(&mut transaction), vec![basket]).await {
    ///     println!("order {}", placed?.id);
    /// }
    /// transaction.commit().await?;
    /// oms.wake();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn within<'a, 't: 'a>(&self, transaction: &'a mut Transaction<'t>) -> impl Within + use<'a, 't> {
        Theirs { store: Arc::clone(&self.0), transaction }
    }
}

/// A transaction of the user's own.
struct Theirs<'a, 't> {
    store: Arc<Shared>,
    transaction: &'a mut Transaction<'t>,
}

/// An open turn in it. Its savepoint is rolled back when this is dropped, and the settings with it.
struct Inside<'a> {
    store: Arc<Shared>,
    savepoint: Transaction<'a>,
    theirs: [String; 2],
    read: Read,
    found: Found,
}

async fn set(savepoint: &Transaction<'_>, [path, patience]: [&str; 2]) -> Result<(), StoreError> {
    savepoint.query_one(SET, &[&path, &patience]).await.map(drop).map_err(failed)
}

#[async_trait]
impl Within for Theirs<'_, '_> {
    async fn turn<'a>(&'a mut self, right: &Right, ask: Ask) -> Result<Box<dyn Turn + 'a>, StoreError> {
        if ask.streams.iter().any(|stream| stream.rank == Rank::Shared) {
            return Err(StoreError::Misused("shared streams are no part of a transaction of yours"));
        }
        let known = &self.store.known;
        let id = known.lane_ids(std::slice::from_ref(right.lane())).await?[0];
        let savepoint = self.transaction.savepoint("oms").await.map_err(failed)?;
        let row = savepoint.query_one(THEIRS, &[]).await.map_err(failed)?;
        if !row.get::<_, bool>(2) {
            return Err(StoreError::Misused("place within a READ COMMITTED transaction"));
        }
        let theirs = [row.get(0), row.get(1)];
        set(&savepoint, known.link.inside()).await?;
        savepoint.execute(LOCK, &[&id]).await.map_err(failed)?;
        let mut steps = Steps::default();
        let lane = steps.push(LANES, params![vec![id], known.link.now()]);
        let newest = steps.push_if(!ask.streams.is_empty(), streams::NEWEST, || streams::asked(&ask.streams));
        let answers = steps.asked_in(&savepoint).await?;
        // Behind the lane's number.
        let row =
            answers.of(lane).first().map(|row| LaneRow::read(&mut Columns::behind(row, 1))).transpose()?;
        let (mut read, _) = lane_row(row, right, id)?;
        read.book = at(known, read.revision, &[]).await?;
        let found = Found {
            hears: Arc::clone(&read.book.hears),
            revision: uint(read.revision),
            position: read.position,
            now: Timestamp(read.now),
            streams: streams::loaded(answers.of_some(newest), &ask.streams)?,
            ..Found::default()
        };
        Ok(Box::new(Inside { store: Arc::clone(&self.store), savepoint, theirs, read, found }))
    }
}

/// Whether writes only open keyed streams and send.
fn only_opens(writes: &Writes) -> bool {
    let opens = writes.streams.iter().all(|write| write.expected == 0 && write.stream.rank != Rank::Shared);
    let Writes { consumed, effects, withdrawn, parked, buried, judged, .. } = writes;
    let asides = parked.is_empty() && buried.is_empty() && judged.is_empty();
    opens && asides && consumed.is_empty() && effects.is_empty() && withdrawn.is_empty()
}

#[async_trait]
impl Turn for Inside<'_> {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, _: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        Err(StoreError::Misused("a turn within a transaction of yours asks for its streams at once"))
    }

    async fn commit(self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        let Self { store, savepoint, theirs, read, .. } = *self;
        if !only_opens(&writes) {
            return Err(StoreError::Misused(
                "a turn within a transaction of yours opens streams, and no more",
            ));
        }
        let heads = writes.streams.iter().map(|write| (write.stream.clone(), Head::default())).collect();
        let planned = plan(read, There { heads, ..There::default() }, &writes, |_| false)?;
        let known: &Known = &store.known;
        let (calls, _) = calls(&[&planned.changes], known.link.now());
        calls.done_in(&savepoint).await?;
        set(&savepoint, [&theirs[0], &theirs[1]]).await?;
        savepoint.commit().await.map_err(failed)
    }
}
