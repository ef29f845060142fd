//! What a user asks to know: orders, stories, stock, and whether everything holds.

use super::system::Oms;
use crate::{
    event::public::Status,
    id::{OrderId, Sku},
    projection::{
        Difference, Facts, Moment, OrderSummary, Past, Shelf, SkuFacts, Stuck,
        check::{Books, Check, Report},
        difference, facts, history, past,
        story::{Story, story},
        stuck,
    },
    service::order::stream_of,
    store::{Counts, StoreError, StreamId},
};
/// The events after which an order has ended, or needs a person.
const ENDS: [&str; 4] = ["OrderCompleted", "OrderFailed", "OrderCancelled", "OrderNeedsAttention"];

/// One page of orders, in order of id.
#[derive(Clone, Debug, Default)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<OrderSummary>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// One page of stock, in order of SKU.
#[derive(Clone, Debug, Default)]
pub struct StockPage {
    /// The SKUs and what is on their shelves.
    pub shelves: Vec<(Sku, Shelf)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl Oms {
    /// What is known of an order now; `None` when it was never placed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn order(&self, order: &OrderId) -> Result<Option<OrderSummary>, StoreError> {
        let facts = facts(self.parts.store.as_ref(), order).await?;
        Ok(facts.placed().is_some().then(|| OrderSummary::of(&facts)))
    }

    /// Everything recorded of an order; empty when it was never placed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn facts(&self, order: &OrderId) -> Result<Facts, StoreError> {
        facts(self.parts.store.as_ref(), order).await
    }

    /// The public status of an order; `None` when it was never placed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn status(&self, order: &OrderId) -> Result<Option<Status>, StoreError> {
        Ok(self.order(order).await?.map(|order| order.status))
    }

    /// Waits until an order has ended, or needs a person, and gives what is known of it then. Waits for ever for an order
    /// that was never placed. What loops of this process do is seen at once, what others do within half a second. May be
    /// dropped at any await.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn wait_until_settled(&self, order: &OrderId) -> Result<OrderSummary, StoreError> {
        let (stream, mut seen) = (stream_of(order), 0);
        // Watched before the first look, so that nothing written in between is missed.
        let mut watch = self.parts.watch(stream.clone(), &ENDS);
        let ended = |order: &OrderSummary| order.phase.is_terminal() || order.needs_attention.is_some();
        loop {
            let page = self.parts.store.history(&stream, seen, 1_000).await?;
            seen = page.last().map_or(seen, |newest| newest.version);
            if page.iter().any(|recorded| ENDS.contains(&&*recorded.event.kind))
                && let Some(order) = self.order(order).await?.filter(ended)
            {
                return Ok(order);
            }
            watch.news().await;
        }
    }

    /// A page of orders with ids greater than `after`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn orders(&self, after: Option<&str>, limit: usize) -> Result<OrderPage, StoreError> {
        let streams = self.parts.store.streams(crate::service::order::KIND, after, limit).await?;
        let next =
            if streams.len() == limit { streams.last().map(|(id, _)| id.id.to_string()) } else { None };
        let mut orders = Vec::with_capacity(streams.len());
        for (id, _) in streams {
            let Ok(order) = OrderId::new(&id.id) else { continue };
            orders.extend(self.order(&order).await?);
        }
        Ok(OrderPage { orders, next })
    }

    /// The whole story of an order: every event, command, attempt and undo, and what is still in flight.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn story(&self, order: &OrderId) -> Result<Story, StoreError> {
        story(self.parts.store.as_ref(), order).await
    }

    /// An order as it was at a version or at a time; `None` when it was not placed yet, or never had that version.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn order_at(&self, order: &OrderId, moment: Moment) -> Result<Option<Past>, StoreError> {
        past(self.parts.store.as_ref(), order, moment).await
    }

    /// What changed of an order from one moment of its life to another; `None` when one of them is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn order_changes(
        &self,
        order: &OrderId,
        from: Moment,
        to: Moment,
    ) -> Result<Option<Difference>, StoreError> {
        difference(self.parts.store.as_ref(), order, from, to).await
    }

    /// Orders that will not end by themselves, each with its reason.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn stuck(&self) -> Result<Vec<Stuck>, StoreError> {
        stuck(self.parts.store.as_ref()).await
    }

    /// A page of stock with SKUs greater than `after`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn stock(&self, after: Option<&str>, limit: usize) -> Result<StockPage, StoreError> {
        let streams = self.parts.store.streams(crate::service::inventory::STOCK, after, limit).await?;
        let next =
            if streams.len() == limit { streams.last().map(|(id, _)| id.id.to_string()) } else { None };
        let mut shelves = Vec::with_capacity(streams.len());
        for (id, _) in streams {
            let Ok(sku) = Sku::new(&id.id) else { continue };
            let shelf = self.shelf(&id, &sku).await?;
            shelves.push((sku, shelf));
        }
        Ok(StockPage { shelves, next })
    }

    async fn shelf(&self, stream: &StreamId, sku: &Sku) -> Result<Shelf, StoreError> {
        let mut facts = SkuFacts::new(sku.clone());
        for recorded in history(self.parts.store.as_ref(), stream).await? {
            facts.add(&recorded);
        }
        Ok(facts.shelf())
    }

    /// Derives every figure from the events again and verifies the invariants; `at_rest` says that nothing should be in
    /// flight.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn check(&self, books: Option<&Books>, at_rest: bool) -> Result<Report, StoreError> {
        Check { handlers: &self.parts.handlers, books, at_rest }.run(self.parts.store.as_ref()).await
    }

    /// How much is waiting, and what commits have cost.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn count(&self) -> Result<Counts, StoreError> {
        self.parts.store.count().await
    }

    /// What is in flight of one key (an order's id), or of everything, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn waiting(
        &self,
        key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<crate::store::Waiting>, StoreError> {
        self.parts.store.waiting(key, limit).await
    }
}
