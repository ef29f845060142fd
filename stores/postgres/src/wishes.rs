//! Wishes: those that are due are claimed under the lease of their lane, and let go of (rule 18).

use crate::{
    hand::Tenure,
    known::Known,
    lock::Locked,
    pipe::{Steps, execute, params},
    rows::{Columns, cap, int, micros},
    shared::Shared,
};
use futures::future::try_join_all;
use oms_core::{
    clock::Timestamp,
    gateway::{Effect, EffectKey},
    id::{MessageId, Name},
    message::GroupLane,
    store::{Claimed, Doing, Lease, Postponed, StoreError},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio_postgres::Row;

/// The epochs of lanes.
const EPOCHS: &str = "SELECT lane, epoch FROM lease WHERE lane = ANY ($1::integer[])";
/// The first due wishes of lanes to one gateway, but for those that are claimed.
const DUE: &str = "SELECT id, lane, look FROM effect WHERE lane = ANY ($1::integer[]) AND gateway = $2 AND look <= moment($3)
    AND id <> ALL ($4::bigint[]) ORDER BY look, id LIMIT $5";
/// When the next one behind these is due, and what time it is: one look for each lane, however many wait.
const NEXT: &str = "SELECT (SELECT min(next.look) FROM unnest($1::integer[]) AS asked (lane) CROSS JOIN LATERAL (SELECT look FROM effect
    WHERE effect.lane = asked.lane AND gateway = $2 AND id <> ALL ($4::bigint[]) AND look > moment($3)
    ORDER BY look LIMIT 1) AS next), moment($3)";
/// Wishes of a lane by their rows, as long as they are due and the lease is that.
const THESE: &str = "SELECT id, ord, step, attempt, gateway, kind, stream, rank, cause, request, look, heard, calls FROM effect
    JOIN lease USING (lane) WHERE id = ANY ($1::bigint[]) AND lane = $2 AND epoch = $3 AND look <= moment($4) ORDER BY look, id";
const POSTPONE: &str = "UPDATE effect SET look = moment($8) + again, heard = coalesce(new.heard, effect.heard), calls = new.calls
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::bytea[], $9::integer[])
        AS new (ord, step, attempt, lane, epoch, again, heard, calls)
    JOIN lease USING (lane, epoch)
    WHERE effect.ord = new.ord AND effect.step = new.step AND effect.attempt = new.attempt AND effect.lane = new.lane";

/// A claimed wish on its way to whoever asked; if it does not get there, nobody was told.
struct Claim<'a> {
    known: &'a Known,
    claimed: Vec<(Doing, Timestamp)>,
}

impl Claim<'_> {
    fn keep(mut self) -> Vec<(Doing, Timestamp)> {
        std::mem::take(&mut self.claimed)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut hand = self.known.hand();
        for (doing, _) in &self.claimed {
            hand.give_back(doing);
        }
    }
}

/// Claims due wishes of these lanes.
pub(crate) async fn claim(
    store: &Arc<Shared>,
    leases: &[Lease],
    gateway: &str,
    limit: usize,
) -> Result<Claimed, StoreError> {
    let known = &*store.known;
    let names: Vec<GroupLane> = leases.iter().map(|lease| lease.lane.clone()).collect();
    let lanes = known.lane_ids(&names).await?;
    let tenures: BTreeSet<Tenure> =
        lanes.iter().copied().zip(leases.iter().map(|lease| int(lease.epoch))).collect();
    let claimed = known.hand().claimed(&tenures);
    let mut steps = Steps::default();
    let epochs = steps.push(EPOCHS, params![lanes.clone()]);
    let asked = || params![lanes.clone(), gateway.to_owned(), known.link.now(), claimed.clone()];
    let due = steps.push(DUE, asked().into_iter().chain(params![cap(limit)]).collect());
    let next = steps.push(NEXT, asked());
    let answers = steps.snapshot(&known.link.client().await?).await?;
    let mut found: BTreeMap<i32, i64> = BTreeMap::new();
    for row in answers.of(epochs) {
        let mut row = Columns::of(row);
        found.insert(row.get()?, row.get()?);
    }
    for (lane, lease) in lanes.iter().zip(leases) {
        if found.get(lane) != Some(&int(lease.epoch)) {
            return Err(StoreError::LostLease(lease.lane.clone()));
        }
    }
    let next = following(answers.of(next))?;
    let mut wanted: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for row in answers.of(due) {
        let mut row = Columns::of(row);
        let id = row.get()?;
        wanted.entry(row.get()?).or_default().push(id);
    }
    let full = answers.of(due).len() == limit;
    // Each lane is let go as soon as its wishes are claimed: no lane's turn waits for another's.
    let claims = wanted.into_iter().map(|(lane, ids)| {
        let epoch = found.get(&lane).copied().unwrap_or_default();
        take(store, (lane, epoch), ids)
    });
    let claims = try_join_all(claims).await?;
    let mut doings: Vec<(Doing, Timestamp)> = claims.into_iter().flat_map(Claim::keep).collect();
    doings.sort_by_key(|(_, look)| *look);
    let doings: Vec<Doing> = doings.into_iter().map(|(doing, _)| doing).collect();
    let next = if full { Some(std::time::Duration::ZERO) } else { next };
    Ok(Claimed { doings, next })
}

fn following(rows: &[Row]) -> Result<Option<std::time::Duration>, StoreError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let mut row = Columns::of(row);
    let look = row.get::<Option<i64>>()?.map(Timestamp);
    let now = row.time()?;
    Ok(look.map(|look| look.since(now)))
}

async fn take(store: &Arc<Shared>, tenure: Tenure, ids: Vec<i64>) -> Result<Claim<'_>, StoreError> {
    let known = &*store.known;
    let _guard = store.locks.lock(Locked::Lane(tenure.0)).await;
    let client = known.link.client().await?;
    let asked = params![ids, tenure.0, tenure.1, known.link.now()];
    let rows = crate::pipe::rows(&client, THESE, asked).await?;
    let lane = known.book().name(tenure.0);
    let mut claim = Claim { known, claimed: Vec::with_capacity(rows.len()) };
    for row in &rows {
        let (id, mut doing, look) = wish(row, &lane)?;
        let Some(maybe_told) = known.hand().claim(&doing.effect.key, tenure, id) else { continue };
        doing.maybe_told = maybe_told;
        claim.claimed.push((doing, look));
    }
    Ok(claim)
}

fn wish(row: &Row, lane: &GroupLane) -> Result<(i64, Doing, Timestamp), StoreError> {
    let mut row = Columns::of(row);
    let id = row.get()?;
    let key = EffectKey { order: row.name()?, step: row.name()?, attempt: row.small()? };
    let (gateway, stream, cause) = (row.name()?, row.stream()?, MessageId(row.wide()?));
    let (request, look) = (row.bytes()?, row.time()?);
    let heard: Option<&[u8]> = row.get()?;
    let heard =
        heard.and_then(|bytes| bytes.try_into().ok()).map(|bytes| MessageId(u128::from_be_bytes(bytes)));
    let effect = Effect { key, stream, gateway, request, cause };
    Ok((id, Doing { effect, lane: lane.clone(), maybe_told: true, heard, calls: row.small()? }, look))
}

/// Lets go of those of these wishes that are claimed under their lease.
pub(crate) async fn postpone(known: &Known, wishes: &[Postponed]) -> Result<(), StoreError> {
    let names: Vec<GroupLane> = wishes.iter().map(|wish| wish.lease.lane.clone()).collect();
    let lanes = known.lane_ids(&names).await?;
    let own: Vec<(i32, &Postponed)> = {
        let hand = known.hand();
        let tenure = |lane: i32, wish: &Postponed| (lane, int(wish.lease.epoch));
        let all = lanes.into_iter().zip(wishes);
        all.filter(|(lane, wish)| hand.is_claimed(&wish.effect, tenure(*lane, wish))).collect()
    };
    if own.is_empty() {
        return Ok(());
    }
    let texts = |get: fn(&EffectKey) -> &Name| -> Vec<String> {
        own.iter().map(|(_, wish)| get(&wish.effect).to_string()).collect()
    };
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let numbers =
        |get: fn(&Postponed) -> u32| own.iter().map(|(_, wish)| number(get(wish))).collect::<Vec<i32>>();
    let heard: Vec<Option<Vec<u8>>> =
        own.iter().map(|(_, wish)| wish.heard.map(|heard| heard.0.to_be_bytes().to_vec())).collect();
    let asked = params![
        texts(|key| &key.order),
        texts(|key| &key.step),
        numbers(|wish| wish.effect.attempt),
        own.iter().map(|(lane, _)| *lane).collect::<Vec<i32>>(),
        own.iter().map(|(_, wish)| int(wish.lease.epoch)).collect::<Vec<i64>>(),
        own.iter().map(|(_, wish)| micros(wish.again)).collect::<Vec<i64>>(),
        heard,
        known.link.now(),
        numbers(|wish| wish.calls)
    ];
    let rows = execute(&known.link.client().await?, POSTPONE, asked).await?;
    known.count(rows);
    let mut hand = known.hand();
    own.iter().for_each(|(_, wish)| hand.forget(&wish.effect));
    Ok(())
}
