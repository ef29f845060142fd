//! What is asked of the rows: orders by customer, status and time, sums, and whether a version is in them.

use super::{
    fold::Projection,
    house::{ListedOrder, OrderModel, by_customer, by_status, by_time},
    key,
    library::Library,
    port::{By, Row, Scan},
    shares::Figures,
    subject::Body,
};
use crate::{
    clock::Timestamp,
    event::public::Status,
    id::{CustomerId, OrderId, StreamId, read_json},
    projection::{OrderSummary, model::contract::Model},
    store::StoreError,
};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// How many rows are read at a time.
const PAGE: usize = 500;

/// Why a read model cannot be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody keeps read models here.
    #[error("this house keeps no read models; give its builder a place for them")]
    NoModels,
    /// There is no such model.
    #[error("{0} is no read model; list them")]
    Unknown(String),
    /// Its rows are still being built.
    #[error("the read model {0} is still being built; ask again when it is")]
    NotBuilt(&'static str),
    /// The place where a page shall begin is no order of the model.
    #[error("{0} is no order of this list; begin where a page ended")]
    NoSuchOrder(OrderId),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which orders are wanted; all conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this status now.
    pub status: Option<Status>,
    /// Placed at this time or later.
    pub since: Option<Timestamp>,
    /// Behind this order, where the last page ended.
    pub after: Option<OrderId>,
}

/// One page of orders, in order of the time at which they were placed.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The orders.
    pub orders: Vec<OrderSummary>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<OrderId>,
}

/// The orders that a query wants, at most `limit`, as far as the model has read.
///
/// # Errors
/// [`AskError`].
pub async fn list_orders(library: &Library, query: &OrderQuery, limit: usize) -> Result<Listing, AskError> {
    let live = live(library, OrderModel::NAME).await?;
    let since = query.since.unwrap_or_default();
    let (mark, prefix, mut after) = match (&query.customer, query.status) {
        (Some(customer), _) => by_customer(customer, since),
        (None, Some(status)) => by_status(status, since),
        (None, None) => by_time(since),
    };
    if let Some(order) = &query.after {
        let rows = library.models.rows(&live, &[key::subject(order.as_str())]).await?;
        let begins = rows.into_iter().flatten().next().and_then(|row| row.marks.into_iter().nth(mark)?);
        after = begins.ok_or_else(|| AskError::NoSuchOrder(order.clone()))?;
    }
    let mut found = Listing::default();
    loop {
        let scan = Scan { by: By::Mark(mark), prefix: &prefix, after: Some(&after), limit: PAGE };
        let rows = library.models.scan(&live, scan).await?;
        for row in &rows {
            if found.orders.len() > limit {
                break;
            }
            let Some(summary) = summary(row)? else { continue };
            found
                .orders
                .extend(query.status.is_none_or(|status| status == summary.status).then_some(summary));
        }
        let last = rows.last().and_then(|row| row.marks.get(mark)?.clone());
        match last.filter(|_| rows.len() == PAGE && found.orders.len() <= limit) {
            Some(last) => after = last,
            None => break,
        }
    }
    if found.orders.len() > limit {
        found.orders.truncate(limit);
        found.next = found.orders.last().map(|last| last.order.clone());
    }
    Ok(found)
}

/// The sums of a model, by name.
///
/// # Errors
/// [`AskError`].
pub async fn sums(library: &Library, model: &str) -> Result<BTreeMap<String, Figures>, AskError> {
    let live = live(library, model).await?;
    let (mut all, mut after) = (BTreeMap::new(), None::<String>);
    loop {
        let scan = Scan { by: By::Key, prefix: key::SUM, after: after.as_deref(), limit: PAGE };
        let rows = library.models.scan(&live, scan).await?;
        for row in &rows {
            let name = row.key.strip_prefix(key::SUM).unwrap_or(&row.key);
            all.insert(name.to_owned(), read_json(&row.body).map_err(StoreError::refused)?);
        }
        after = rows.last().map(|row| row.key.to_string());
        if rows.len() < PAGE {
            return Ok(all);
        }
    }
}

/// Whether the rows of a model hold a stream up to this version.
///
/// # Errors
/// [`AskError`]; a model whose rows are still being built has read nothing, which is no error.
pub async fn has_read(
    library: &Library,
    model: &str,
    stream: &StreamId,
    version: u64,
) -> Result<bool, AskError> {
    let projection = known(library, model)?;
    let Some(kind) = projection.kinds().iter().position(|kind| *kind == &*stream.kind) else {
        return Err(AskError::Unknown(format!("{model} of streams of kind {}", stream.kind)));
    };
    let Some(row) = library.subject(projection, &stream.id).await? else { return Ok(version == 0) };
    let body = Body::<IgnoredAny>::read(&row.body).map_err(StoreError::refused)?;
    // A stream that stopped never comes further: who waits for it is not kept waiting.
    Ok(body.stopped.contains_key(&kind) || body.versions.get(kind).is_some_and(|read| *read >= version))
}

fn known<'a>(library: &'a Library, model: &str) -> Result<&'a dyn Projection, AskError> {
    let projection = library.projection(model).ok_or_else(|| AskError::Unknown(model.to_owned()))?;
    Ok(projection.as_ref())
}

async fn live(library: &Library, model: &str) -> Result<super::port::Generation, AskError> {
    let projection = known(library, model)?;
    let live = library.live(projection).await?;
    live.ok_or(AskError::NotBuilt(projection.name()))
}

fn summary(row: &Row) -> Result<Option<OrderSummary>, AskError> {
    let Some(order) = row.key.strip_prefix(key::SUBJECT).and_then(|id| OrderId::new(id).ok()) else {
        return Ok(None);
    };
    let body = Body::<ListedOrder>::read(&row.body).map_err(StoreError::refused)?;
    Ok(Some(body.state.summary(order)))
}
