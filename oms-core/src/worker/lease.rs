//! The lease loop: one claim keeps all lanes of this process (rule 8).

use super::{
    metrics::add,
    parts::{PLACE, Parts},
};
use crate::{
    message::GroupLane,
    store::{Lease, StoreError},
};
use std::{sync::Arc, time::Duration};

/// Claims and keeps every lane, until the house drains; gives them back then.
pub(super) async fn keep(parts: Arc<Parts>) {
    let wanted: Vec<GroupLane> = parts.desks.iter().map(|desk| desk.lane.clone()).collect();
    let mut failures = 0;
    while !parts.draining() {
        match claim(&parts, &wanted).await {
            Ok(leases) => {
                failures = 0;
                parts.vitals.lease.well();
                grant(&parts, &leases);
                parts.nap(parts.options.lease / 3).await;
            }
            Err(error) => {
                tracing::warn!(%error, "leases could not be kept");
                failures += 1;
                add(&parts.tally.outages, 1);
                let wait = parts.options.outage.wait(parts.owner, failures);
                parts.vitals.lease.away(parts.clock.now(), &error, wait);
                parts.nap(wait).await;
            }
        }
    }
    let served = || parts.desks.iter().filter(|desk| *desk.lane.group != *PLACE);
    while served().any(|desk| !desk.is_closed()) {
        parts.clock.sleep(Duration::from_millis(1)).await;
    }
    if let Err(error) = parts.store.lease(parts.owner, &wanted, Duration::ZERO).await {
        tracing::warn!(%error, "leases could not be given back; they expire by themselves");
    }
}

/// Claims or keeps all lanes. Those with doubtful claims of wishes are given back first, which gives them another epoch.
async fn claim(parts: &Parts, wanted: &[GroupLane]) -> Result<Vec<Lease>, StoreError> {
    let doubtful: Vec<_> = parts.desks.iter().filter(|desk| desk.is_doubtful()).collect();
    if !doubtful.is_empty() {
        let lanes: Vec<GroupLane> = doubtful.iter().map(|desk| desk.lane.clone()).collect();
        parts.store.lease(parts.owner, &lanes, Duration::ZERO).await?;
        doubtful.iter().for_each(|desk| desk.trust());
    }
    parts.store.lease(parts.owner, wanted, parts.options.lease).await
}

fn grant(parts: &Parts, leases: &[Lease]) {
    let mut news = false;
    for desk in &parts.desks {
        let lease = leases.iter().find(|lease| lease.lane == desk.lane).cloned();
        news |= desk.lease().map(|lease| lease.epoch) != lease.as_ref().map(|lease| lease.epoch);
        desk.grant(lease);
    }
    if news {
        parts.ring_all();
    }
}
