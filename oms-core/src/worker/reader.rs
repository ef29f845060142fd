//! The loop of a read model: reads the log on as it grows, and builds anew what it cannot go on with.

use super::{metrics::add, parts::Parts};
use crate::{
    projection::model::{BATCH, Keeper, Library, Projection, Rebuild},
    store::StoreError,
};
use std::{sync::Arc, time::Duration};

/// The longest this loop waits for its bell: what other processes write rings nothing here.
const IDLE: Duration = Duration::from_secs(1);
/// How long it lets news gather, so that a busy house costs one look for many turns.
const GATHER: Duration = Duration::from_millis(20);

/// Keeps a model up to date until the house drains.
pub(super) async fn follow(parts: Arc<Parts>, library: Library, projection: Arc<dyn Projection>) {
    let (mut failures, mut anew) = (0, false);
    while !parts.draining() {
        let Err(error) = keep(&parts, &library, &projection, anew).await else {
            (failures, anew) = (0, false);
            continue;
        };
        let model = projection.name();
        match error {
            // Another process keeps it; this one takes over when that has gone.
            StoreError::Conflict => parts.nap(parts.options.lease / 3).await,
            error => {
                // What cannot be read or is ahead of the log is built anew, beside what is shown.
                anew = matches!(error, StoreError::Unfit(_) | StoreError::Refused(_));
                tracing::warn!(%error, model, anew, "a read model cannot be kept");
                failures += 1;
                add(&parts.tally.outages, 1);
                parts.nap(parts.options.outage.wait(parts.owner, failures)).await;
            }
        }
    }
}

/// Keeps the rows that are shown; where there are none, or they are no good, builds new ones and ends.
async fn keep(
    parts: &Parts,
    library: &Library,
    projection: &Arc<dyn Projection>,
    anew: bool,
) -> Result<(), StoreError> {
    match library.live(projection.as_ref()).await?.filter(|_| !anew) {
        Some(live) => keep_up(parts, library.keeper(projection, live).await?, projection.name()).await,
        None => build(parts, library.rebuild(projection).await?).await,
    }
}

async fn keep_up(parts: &Parts, mut keeper: Keeper, model: &str) -> Result<(), StoreError> {
    while !parts.draining() {
        if keeper.step(BATCH).await?.caught_up
            && let Some(bell) = parts.readers.get(model)
        {
            parts.listen(bell, IDLE).await;
            parts.nap(GATHER).await;
        }
    }
    Ok(())
}

async fn build(parts: &Parts, mut rebuild: Rebuild) -> Result<(), StoreError> {
    while !parts.draining() {
        if rebuild.step(BATCH).await?.caught_up {
            rebuild.publish().await?;
            return Ok(());
        }
    }
    Ok(())
}
