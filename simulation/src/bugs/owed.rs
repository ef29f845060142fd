//! Bugs in how an owed row goes.

use super::layer::Layer;
use async_trait::async_trait;
use oms_core::store::{Ask, Consumed, End, Found, Right, Store, StoreError, StreamId, Streams, Turn, Writes};
use std::{collections::BTreeSet, sync::Arc};

/// Deletes what a turn finds owed before anybody handles it.
pub(super) struct DeletedEarly;

#[async_trait]
impl Layer for DeletedEarly {
    async fn turn(
        &self,
        inside: &Arc<dyn Store>,
        right: &Right,
        ask: Ask,
    ) -> Result<Box<dyn Turn>, StoreError> {
        let mut first = inside.turn(right, ask.clone()).await?;
        let mut found = first.found();
        if found.owed.is_empty() {
            return Ok(Box::new(Deleted { inside: first, found }));
        }
        let handled = |owed: &oms_core::store::Owed| Consumed::Owed {
            pack: owed.pack.clone(),
            indexes: owed.left.clone(),
            end: End::Handled,
        };
        let consumed = found.owed.iter().map(handled).collect();
        first.commit(Writes { consumed, ..Writes::default() }).await?;
        let mut second = inside.turn(right, Ask { packs: Vec::new(), owed_longer: None, ..ask }).await?;
        let rest = second.found();
        found = Found { owed: found.owed, duplicates: found.duplicates, ..rest };
        Ok(Box::new(Deleted { inside: second, found }))
    }
}

struct Deleted {
    inside: Box<dyn Turn>,
    found: Found,
}

#[async_trait]
impl Turn for Deleted {
    fn found(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        self.inside.load(streams).await
    }

    async fn commit(self: Box<Self>, mut writes: Writes) -> Result<(), StoreError> {
        writes.consumed.retain(|one| !matches!(one, Consumed::Owed { .. }));
        self.inside.commit(writes).await
    }
}

/// Commits what a message causes first, and that it was handled later.
pub(super) struct DeletedApart;

#[async_trait]
impl Layer for DeletedApart {
    async fn turn(
        &self,
        inside: &Arc<dyn Store>,
        right: &Right,
        ask: Ask,
    ) -> Result<Box<dyn Turn>, StoreError> {
        let (store, right) = (Arc::clone(inside), right.clone());
        Ok(Box::new(Apart { inside: inside.turn(&right, ask).await?, store, right }))
    }
}

struct Apart {
    inside: Box<dyn Turn>,
    store: Arc<dyn Store>,
    right: Right,
}

#[async_trait]
impl Turn for Apart {
    fn found(&mut self) -> Found {
        self.inside.found()
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        self.inside.load(streams).await
    }

    async fn commit(self: Box<Self>, mut writes: Writes) -> Result<(), StoreError> {
        let (owed, rest) = writes.consumed.into_iter().partition(|one| matches!(one, Consumed::Owed { .. }));
        writes.consumed = rest;
        self.inside.commit(writes).await?;
        let later = self.store.turn(&self.right, Ask::default()).await?;
        later.commit(Writes { consumed: owed, ..Writes::default() }).await
    }
}
