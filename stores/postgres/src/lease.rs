//! Leases: who serves which lane, by the database's clock, shared evenly among the processes that are alive (rule 8).

use crate::{
    known::Known,
    lent::Open,
    pipe::{both, params, query, run},
    rows::{Columns, uint},
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::GroupLane,
    store::{Lease, Owners, StoreError, Tenures},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio_postgres::Row;

/// One process at a time shares out lanes.
const ALONE: &str = "SELECT moment($1) FROM meta FOR NO KEY UPDATE";
const OWNERS: &str = "SELECT id, until, groups FROM owner";
const LEASES: &str = "SELECT lane, owner, epoch, until FROM lease WHERE lane = ANY ($1::integer[])";
const REMOVED: &str = "SELECT grp FROM removed";
const KEEP: &str = "UPDATE lease SET owner = new.owner, epoch = new.epoch, until = new.until
    FROM unnest($1::integer[], $2::bytea[], $3::bigint[], $4::bigint[]) AS new (lane, owner, epoch, until)
    WHERE lease.lane = new.lane";
const ALIVE: &str = "INSERT INTO owner (id, until, groups) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until, groups = excluded.groups";
const ENDED: &str = "DELETE FROM owner WHERE id = $1 OR until <= $2";

struct Tenure {
    lane: i32,
    owner: Option<u128>,
    epoch: i64,
    until: Timestamp,
    changed: bool,
}

/// The leases as they are in the database.
#[derive(Default)]
struct Leases(BTreeMap<GroupLane, Tenure>);

impl Tenures for Leases {
    fn is_held_by(&self, owner: u128, lane: &GroupLane) -> bool {
        self.0.get(lane).is_some_and(|tenure| tenure.owner == Some(owner))
    }

    fn claim(&mut self, owner: u128, lane: &GroupLane, time: Duration, now: Timestamp) -> Option<Lease> {
        let tenure = self.0.get_mut(lane)?;
        let mine = tenure.owner == Some(owner);
        if time.is_zero() {
            if mine {
                // What is still open under the old epoch must not commit any more.
                (tenure.owner, tenure.epoch, tenure.changed) = (None, tenure.epoch + 1, true);
            }
            return None;
        }
        if !mine {
            if tenure.owner.is_some() && tenure.until > now {
                return None;
            }
            (tenure.owner, tenure.epoch) = (Some(owner), tenure.epoch + 1);
        }
        (tenure.until, tenure.changed) = (now.after(time), true);
        Some(Lease { lane: lane.clone(), epoch: uint(tenure.epoch), left: time })
    }
}

fn wide(bytes: Option<&[u8]>) -> Option<u128> {
    bytes.and_then(|bytes| bytes.try_into().ok()).map(u128::from_be_bytes)
}

fn owners(rows: &[Row]) -> Result<Owners, StoreError> {
    let mut alive = Vec::with_capacity(rows.len());
    for row in rows {
        let mut row = Columns::of(row);
        let (id, until) = (row.wide()?, row.time()?);
        let groups: Vec<&str> = row.get()?;
        alive.push((id, until, groups.into_iter().map(Name::from).collect::<BTreeSet<_>>()));
    }
    Ok(alive.into_iter().collect())
}

/// Claims lanes, keeps them, or gives them back.
pub(crate) async fn lease(
    known: &Known,
    owner: u128,
    wanted: &[GroupLane],
    time: Duration,
) -> Result<Vec<Lease>, StoreError> {
    let ids = known.lane_ids(wanted).await?;
    let mut client = known.link.client().await?;
    let transaction = client.begin().await?;
    let now = query(&transaction, ALONE, params![known.link.now()]).await?;
    let now = now.first().map(|row| Columns::of(row).time()).transpose()?.unwrap_or_default();
    let ((alive, held), removed) = both(
        both(query(&transaction, OWNERS, params![]), query(&transaction, LEASES, params![ids.clone()])),
        query(&transaction, REMOVED, params![]),
    )
    .await?;
    let mut owners = owners(&alive)?;
    let mut leases = Leases::default();
    let names: BTreeMap<i32, &GroupLane> = ids.iter().copied().zip(wanted).collect();
    for row in &held {
        let mut row = Columns::of(row);
        let lane = row.get()?;
        let holder: Option<&[u8]> = row.get()?;
        let tenure =
            Tenure { lane, owner: wide(holder), epoch: row.get()?, until: row.time()?, changed: false };
        leases.0.extend(names.get(&lane).map(|name| ((*name).clone(), tenure)));
    }
    let removed: BTreeSet<Name> =
        removed.iter().map(|row| Columns::of(row).name()).collect::<Result<_, _>>()?;
    let open: Vec<GroupLane> = wanted.iter().filter(|lane| !removed.contains(&lane.group)).cloned().collect();
    let given = owners.lease(owner, &open, time, now, &mut leases);
    keep(&transaction, &leases).await?;
    let id = owner.to_be_bytes().to_vec();
    if time.is_zero() {
        run(&transaction, ENDED, params![id, now.0]).await?;
    } else {
        let groups: BTreeSet<String> = open.iter().map(|lane| lane.group.to_string()).collect();
        let groups: Vec<String> = groups.into_iter().collect();
        run(&transaction, ALIVE, params![id, now.after(time).0, groups]).await?;
    }
    transaction.commit().await?;
    let mut hand = known.hand();
    // What is ours now, and what we gave back.
    let own = leases.0.values().filter(|tenure| tenure.changed);
    own.for_each(|tenure| hand.grant((tenure.lane, tenure.epoch)));
    Ok(given)
}

async fn keep(transaction: &Open<'_>, leases: &Leases) -> Result<(), StoreError> {
    let changed: Vec<&Tenure> = leases.0.values().filter(|tenure| tenure.changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let lanes: Vec<i32> = changed.iter().map(|tenure| tenure.lane).collect();
    let owners: Vec<Option<Vec<u8>>> =
        changed.iter().map(|tenure| tenure.owner.map(|owner| owner.to_be_bytes().to_vec())).collect();
    let epochs: Vec<i64> = changed.iter().map(|tenure| tenure.epoch).collect();
    let until: Vec<i64> = changed.iter().map(|tenure| tenure.until.0).collect();
    run(transaction, KEEP, params![lanes, owners, epochs, until]).await.map(drop)
}
