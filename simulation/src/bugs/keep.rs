//! Bugs in how a process keeps what it holds at the store: its leases, its cursors.

use super::layer::Layer;
use crate::clock::{ProcessClock, StoreClock};
use async_trait::async_trait;
use oms_core::{
    message::{GroupLane, Limit, Pack},
    store::{Lease, Store, StoreError},
};
use std::{collections::BTreeMap, future::poll_fn, pin::pin, time::Duration};

/// Lets leases begin and end by the clock of the process.
pub(super) struct LeaseByWorkerClock(pub(super) ProcessClock);

#[async_trait]
impl Layer for LeaseByWorkerClock {
    async fn lease(
        &self,
        inside: &dyn Store,
        owner: u128,
        wanted: &[GroupLane],
        time: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut lease = pin!(inside.lease(owner, wanted, time));
        poll_fn(|context| StoreClock::wrong(self.0.wrong_by(), || lease.as_mut().poll(context))).await
    }
}

/// Saves the cursor with what is read, not with what is confirmed.
pub(super) struct CursorBeforeConfirm;

#[async_trait]
impl Layer for CursorBeforeConfirm {
    async fn unsent(
        &self,
        inside: &dyn Store,
        after: &[(GroupLane, u64)],
        limit: Limit,
    ) -> Result<Vec<Pack>, StoreError> {
        let packs = inside.unsent(after, limit).await?;
        let mut cursors: BTreeMap<GroupLane, u64> = BTreeMap::new();
        for pack in &packs {
            let cursor = cursors.entry(pack.id.sender.clone()).or_default();
            *cursor = pack.id.position.max(*cursor);
        }
        let cursors: Vec<_> = cursors.into_iter().collect();
        if !cursors.is_empty() {
            inside.sent(&cursors, &[]).await?;
        }
        Ok(packs)
    }
}
