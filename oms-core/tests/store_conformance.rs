//! The memory store against the suite for stores, one line for each check.
#![cfg(feature = "conformance")]

use futures::future::BoxFuture;
use oms_core::{
    conformance::{
        Stage, VirtualClock,
        store::{Harness, Outcome, Report, checks},
    },
    store::{MemoryStore, Store, StoreError},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

struct Memory(VirtualClock);

/// Lets everything else go on for some rounds.
struct Rounds(u8);

impl Future for Rounds {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[async_trait::async_trait]
impl Harness for Memory {
    async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(MemoryStore::new(Arc::new(self.0.clone()))))
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
        Err(StoreError::Misused("nothing of this store survives"))
    }

    fn clock(&self) -> VirtualClock {
        self.0.clone()
    }

    fn pause(&self) -> BoxFuture<'static, ()> {
        Box::pin(Rounds(8))
    }
}

#[test]
fn the_memory_store_keeps_every_sentence_of_the_contract() {
    let mut failed = 0;
    for check in checks() {
        let stage = Stage::default();
        let outcome = stage
            .run(check.run(&Memory(stage.clock())))
            .unwrap_or_else(|stuck| Outcome::Failed(stuck.to_string()));
        failed += usize::from(matches!(outcome, Outcome::Failed(_)));
        println!("{}", Report { id: check.id, name: check.name, outcome });
    }
    assert_eq!(failed, 0, "checks failed; each says why");
}

#[test]
fn no_two_checks_share_an_id() {
    let mut ids: Vec<_> = checks().iter().map(|check| check.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert!(all >= 45, "{all} checks");
}
