//! Reading: the facts of one order or SKU, page by page, from any store.

use super::facts::{Facts, ORDER_KINDS};
use crate::{
    id::{OrderId, StreamId},
    store::{Recorded, Store, StoreError, Stream},
};

/// How much is asked of a store at a time.
const PAGE: usize = 500;

/// Reads a stream's whole history.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn history(store: &dyn Store, stream: &StreamId) -> Result<Vec<Recorded>, StoreError> {
    let mut all: Vec<Recorded> = Vec::new();
    loop {
        let after = all.last().map_or(0, |recorded| recorded.version);
        let page = store.history(stream, after, PAGE).await?;
        let last = page.len() < PAGE;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// Reads the facts of one order; empty ones when it was never placed.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn facts(store: &dyn Store, order: &OrderId) -> Result<Facts, StoreError> {
    let mut facts = Facts::new(order.clone());
    for kind in ORDER_KINDS {
        let stream = StreamId::keyed(kind, order.as_str());
        history(store, &stream).await?.iter().for_each(|recorded| facts.add(recorded));
    }
    Ok(facts)
}

/// Walks over all streams of a kind in order of id, a page at a time.
pub struct Walk<'a> {
    store: &'a dyn Store,
    kind: &'a str,
    after: Option<String>,
    done: bool,
}

impl<'a> Walk<'a> {
    /// Starts before the first stream of `kind`.
    #[must_use]
    pub fn new(store: &'a dyn Store, kind: &'a str) -> Self {
        Self { store, kind, after: None, done: false }
    }

    /// The next page; `None` after the last. Dropped half-way, the page is read again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn next(&mut self) -> Result<Option<Vec<(StreamId, Stream)>>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let page = self.store.streams(self.kind, self.after.as_deref(), PAGE).await?;
        self.done = page.len() < PAGE;
        self.after = page.last().map(|(id, _)| id.id.to_string());
        Ok(Some(page))
    }
}
