//! Who hears what: registered under the lock of every lane, and ended for good (rules 4, 22).

use crate::{
    commit::key,
    known::{Known, MAKE_LANES},
    lent::Open,
    pipe::{params, query, run},
    rows::Columns,
};
use oms_core::{
    broker::Topology,
    gateway::EffectKey,
    id::Name,
    store::{PUBLIC, Registered, StoreError, lanes_fit},
};

const ALONE: &str = "SELECT lanes, revision FROM meta FOR UPDATE";
const FORGET: &str = "DELETE FROM hears WHERE grp = ANY ($1::text[])";
const HEAR: &str = "INSERT INTO hears (grp, topic) SELECT * FROM unnest($1::text[], $2::text[])";
const ADMIT: &str = "DELETE FROM removed WHERE grp = ANY ($1::text[])";
const REVISE: &str = "UPDATE meta SET lanes = $1, revision = revision + 1";
/// Takes the lock of every lane once: whoever read who heard what before cannot commit any more.
const MOVE_ON: &str = "WITH held AS (SELECT id FROM lane ORDER BY id FOR NO KEY UPDATE)
    UPDATE lane SET version = version + 1 FROM held WHERE lane.id = held.id";

const OWN_LANES: &str = "SELECT id FROM lane WHERE grp = $1 ORDER BY id FOR NO KEY UPDATE";
const WISHED: &str = "SELECT lane, ord, step, attempt FROM effect WHERE lane = ANY ($1::integer[])";
const UNRELAYED: &str =
    "SELECT FROM owed JOIN lane ON lane.id = owed.hearer WHERE lane.grp = $2 AND owed.open
    AND (owed.pack >> 40) = ANY ($1::bigint[]) LIMIT 1";
const END: [&str; 5] = [
    "DELETE FROM owed WHERE hearer = ANY ($1::integer[])",
    "DELETE FROM parked WHERE hearer = ANY ($1::integer[])",
    "DELETE FROM dead WHERE hearer = ANY ($1::integer[])",
    "DELETE FROM effect WHERE lane = ANY ($1::integer[])",
    "DELETE FROM alarm WHERE hearer = ANY ($1::integer[])",
];
const REVOKE: &str = "UPDATE lease SET owner = NULL, epoch = epoch + 1 WHERE lane = ANY ($1::integer[])";
const BUMP: &str = "UPDATE lane SET version = version + 1 WHERE id = ANY ($1::integer[])";
const REMOVED: &str = "INSERT INTO removed (grp) VALUES ($1) ON CONFLICT DO NOTHING";

/// Adds who hears what.
pub(crate) async fn register(known: &Known, topology: &Topology) -> Result<Registered, StoreError> {
    if topology.hears.contains_key(PUBLIC) {
        return Err(StoreError::Misused("a group cannot have the name of the hearers outside the store"));
    }
    let mut client = known.link.client().await?;
    let transaction = client.begin().await?;
    query(&transaction, ALONE, params![]).await?;
    // Nobody changes it now.
    let before = known.reload_in(&transaction).await?;
    lanes_fit(topology.lanes, before.lanes)?;
    let old = before.topology();
    let mut next = old.clone();
    next.lanes = topology.lanes;
    next.public.extend(topology.public.iter().cloned());
    next.hears.extend(topology.hears.iter().map(|(group, topics)| (group.clone(), topics.clone())));
    let admitted: Vec<String> = topology.hears.keys().map(Name::to_string).collect();
    run(&transaction, ADMIT, params![admitted]).await?;
    if next == old {
        transaction.commit().await?;
        return Ok(Registered { topology: next, revision: before.revision.cast_unsigned() });
    }
    change(&transaction, &next).await?;
    transaction.commit().await?;
    drop(client);
    known.reload().await?;
    Ok(Registered { topology: next, revision: before.revision.cast_unsigned() + 1 })
}

/// Stores who hears what, and that it changed.
async fn change(transaction: &Open<'_>, next: &Topology) -> Result<(), StoreError> {
    let mut hears = next.hears.clone();
    hears.insert(Name::from(PUBLIC), next.public.clone());
    let groups: Vec<String> = hears.keys().map(Name::to_string).collect();
    run(transaction, FORGET, params![groups.clone()]).await?;
    let (mut named, mut topics) = (Vec::new(), Vec::new());
    for (group, heard) in &hears {
        // A row without a topic says that the group is known.
        for topic in heard.iter().map(|topic| &**topic).chain([""]) {
            named.push(group.to_string());
            topics.push(topic.to_owned());
        }
    }
    run(transaction, HEAR, params![named, topics]).await?;
    let all =
        groups.iter().flat_map(|group| (0..i32::from(next.lanes)).map(move |lane| (group.clone(), lane)));
    let (named, lanes): (Vec<String>, Vec<i32>) = all.unzip();
    run(transaction, MAKE_LANES, params![named, lanes]).await?;
    run(transaction, MOVE_ON, params![]).await?;
    run(transaction, REVISE, params![i32::from(next.lanes)]).await.map(drop)
}

/// Ends what a group hears.
pub(crate) async fn unhear(known: &Known, group: &str) -> Result<(), StoreError> {
    let mut client = known.link.client().await?;
    let transaction = client.begin().await?;
    let meta = query(&transaction, ALONE, params![]).await?;
    if run(&transaction, FORGET, params![vec![group.to_owned()]]).await? > 0 {
        run(&transaction, MOVE_ON, params![]).await?;
        let lanes = meta.first().map(|row| Columns::of(row).get::<i32>()).transpose()?.unwrap_or_default();
        run(&transaction, REVISE, params![lanes]).await?;
    }
    transaction.commit().await?;
    drop(client);
    known.reload().await.map(drop)
}

/// Removes all rows of a group; gives how many.
pub(crate) async fn remove(known: &Known, group: &str) -> Result<u64, StoreError> {
    let mut client = known.link.client().await?;
    let transaction = client.begin().await?;
    let rows = query(&transaction, OWN_LANES, params![group.to_owned()]).await?;
    let lanes: Vec<i32> = rows.iter().map(|row| Columns::of(row).get()).collect::<Result<_, _>>()?;
    let wished = query(&transaction, WISHED, params![lanes.clone()]).await?;
    let wished: Vec<EffectKey> =
        wished.iter().map(|row| Ok(key(row)?.1)).collect::<Result<_, StoreError>>()?;
    let senders: Vec<i64> = lanes.iter().map(|lane| i64::from(*lane)).collect();
    let unrelayed = query(&transaction, UNRELAYED, params![senders, PUBLIC.to_owned()]).await?;
    // What this process has not made itself, or has claimed, may have been told.
    let is_told = {
        let hand = known.hand();
        !wished.iter().all(|key| hand.is_fresh(key))
    };
    if is_told || !unrelayed.is_empty() {
        return Err(StoreError::Conflict);
    }
    let mut removed = 0;
    for sql in END {
        removed += run(&transaction, sql, params![lanes.clone()]).await?;
    }
    run(&transaction, REVOKE, params![lanes.clone()]).await?;
    run(&transaction, BUMP, params![lanes]).await?;
    run(&transaction, REMOVED, params![group.to_owned()]).await?;
    transaction.commit().await?;
    let mut hand = known.hand();
    wished.iter().for_each(|key| hand.forget(key));
    Ok(removed)
}
