//! The due loop: tells lanes of their deadlines, releases and redrives, and of what has been owed too long (rules 2, 3, 9).

use super::{metrics::add, parts::Parts};
use crate::{
    clock::Timestamp,
    message::GroupLane,
    store::{Local, StoreError},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How many hints are read at a time.
const HINTS: usize = 512;
/// How long a lane has for a hint before it is told again.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest this loop waits for its bell.
const IDLE: Duration = Duration::from_secs(5);

/// Looks for local work until the house drains.
pub(super) async fn watch(parts: Arc<Parts>) {
    let mut told: BTreeMap<(GroupLane, Local), Timestamp> = BTreeMap::new();
    let mut next_sweep = parts.clock.now().after(sweep_pause(&parts));
    let mut failures = 0;
    while !parts.draining() {
        // Until the next look is known, every alarm rings.
        parts.next_look.store(i64::MAX, Ordering::SeqCst);
        let now = parts.clock.now();
        let swept = if now >= next_sweep { sweep(&parts).await } else { Ok(()) };
        if now >= next_sweep {
            next_sweep = now.after(sweep_pause(&parts));
        }
        let wait = match swept {
            Ok(()) => tell(&parts, &mut told, now).await,
            Err(error) => Err(error),
        };
        match wait {
            Ok(wait) => {
                failures = 0;
                parts.vitals.due.well();
                let wait = wait.min(next_sweep.since(now)).min(IDLE);
                parts.next_look.store(now.after(wait).0, Ordering::SeqCst);
                parts.listen(&parts.due, wait).await;
            }
            Err(error) => {
                tracing::warn!(%error, "local work cannot be read");
                failures += 1;
                add(&parts.tally.outages, 1);
                let wait = parts.options.outage.wait(parts.owner, failures);
                parts.vitals.due.away(parts.clock.now(), &error, wait);
                parts.nap(wait).await;
            }
        }
    }
}

fn sweep_pause(parts: &Parts) -> Duration {
    parts.options.overdue / 2
}

/// Finds lanes that are owed something for too long: one query for all of them.
async fn sweep(parts: &Parts) -> Result<(), StoreError> {
    let patience = |quiet: bool| parts.options.overdue * if quiet { 1 } else { 10 };
    let held = parts.desks.iter().filter(|desk| desk.lease().is_some());
    let asked: Vec<_> = held.map(|desk| (desk.lane.clone(), patience(desk.is_quiet()))).collect();
    for lane in parts.store.overdue(&asked).await? {
        let Some(desk) = parts.desk(&lane) else { continue };
        let time =
            asked.iter().find(|(known, _)| *known == lane).map_or(parts.options.overdue, |(_, time)| *time);
        desk.overdue(time);
    }
    Ok(())
}

/// Lays hints on the desks; says how long until the next is expected.
async fn tell(
    parts: &Parts,
    told: &mut BTreeMap<(GroupLane, Local), Timestamp>,
    now: Timestamp,
) -> Result<Duration, StoreError> {
    let lanes: Vec<GroupLane> =
        parts.desks.iter().filter(|desk| desk.lease().is_some()).map(|desk| desk.lane.clone()).collect();
    if lanes.is_empty() {
        return Ok(IDLE);
    }
    told.retain(|_, since| now.since(*since) < PATIENCE);
    let (works, next) = parts.store.due(&lanes, HINTS).await?;
    let waiting = !works.is_empty();
    for (lane, local) in works {
        let Some(desk) = parts.desk(&lane) else { continue };
        if told.insert((lane, local.clone()), now).is_none() {
            desk.hint(local);
        }
    }
    // Never at once: a store that says so is asked again a little later.
    let next = next.unwrap_or(IDLE).max(Duration::from_millis(1));
    Ok(if waiting { next.min(PATIENCE) } else { next })
}
