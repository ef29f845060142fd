//! What an import needs of the system that it fills.

use async_trait::async_trait;
use oms_core::{
    event::{inventory::AdjustStock, public::Status},
    id::OrderId,
    order::NewOrder,
};
use std::{error::Error, time::Duration};

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The public status.
    pub status: Status,
    /// Whether it is terminal.
    pub ended: bool,
    /// Whether it waits for its dispatch to be released or cancelled.
    pub held: bool,
    /// Grows with whatever happens to it.
    pub version: u64,
}

/// An order to place, by its invoice.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The source's order number: the idempotency key.
    pub invoice: String,
    /// The order.
    pub order: NewOrder,
}

/// Why an order was not placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPlaced {
    /// It can never be placed: why.
    Never(String),
    /// Its number has placed an order with other content.
    Otherwise(String),
    /// Too much is in flight; it is tried again.
    Later,
}

/// The system, or what it stands on, is unavailable.
#[derive(Debug, thiserror::Error)]
#[error("the orders cannot be reached; run the same command again, and it goes on where it stopped")]
pub struct HouseError(#[source] pub Box<dyn Error + Send + Sync>);

/// The system that an import fills. Every call may be repeated.
#[async_trait]
pub trait House: Send + Sync {
    /// Places orders for [`super::PRINCIPAL`]; for each whether it was known already.
    ///
    /// # Errors
    /// [`HouseError`], when none can be answered.
    async fn place(&self, wishes: &[Wish]) -> Result<Vec<Result<bool, NotPlaced>>, HouseError>;

    /// Changes stock; a reference counts once.
    ///
    /// # Errors
    /// [`HouseError`].
    async fn adjust(&self, changes: Vec<AdjustStock>) -> Result<(), HouseError>;

    /// Asks for an order to be cancelled; gives the reasons why not, none when it will be.
    ///
    /// # Errors
    /// [`HouseError`].
    async fn cancel(&self, order: &OrderId, reason: &str) -> Result<Vec<String>, HouseError>;

    /// Where an order stands; `None` when there is none.
    ///
    /// # Errors
    /// [`HouseError`].
    async fn standing(&self, order: &OrderId) -> Result<Option<Standing>, HouseError>;

    /// Waits.
    async fn pause(&self, time: Duration);
}
