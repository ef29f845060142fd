//! What is said to and by the inventory service.
//!
//! ```
//! use oms_core::event::{Wire, inventory::InventoryCommand};
//! let body = br#"{"sku":"85123A","delta":-2,"reference":"count-7","reason":"broken"}"#;
//! let InventoryCommand::AdjustStock(change) = InventoryCommand::decode("AdjustStock", 1, body)? else { unreachable!() };
//! assert_eq!((change.sku.as_str(), change.delta), ("85123A", -2));
//! # Ok::<(), oms_core::event::WireError>(())
//! ```

use super::Fields;
use crate::id::{Name, OrderId, Sku};
use serde::{Deserialize, Serialize};

/// A line that needs stock. Services (postage) have no stock line; a SKU may be on several lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLine {
    /// The line's number on the order, from 0.
    pub line: u16,
    /// What is needed.
    pub sku: Sku,
    /// How many units.
    pub quantity: u32,
    /// The line's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Asks for all lines of an order, all or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReserveStock {
    /// The order.
    pub order: OrderId,
    /// What it needs; empty when it has services only.
    pub lines: Vec<StockLine>,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Names the order whose reservation is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The order.
    pub order: OrderId,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Changes the units on hand: a receipt, a count, a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustStock {
    /// What.
    pub sku: Sku,
    /// By how many units.
    pub delta: i64,
    /// The caller's own id of this change: the same reference changes a SKU once.
    pub reference: Name,
    /// Why, for people.
    pub reason: String,
}

crate::wire_enum! {
    /// What the inventory service may be told.
    pub enum InventoryCommand, schema 1 {
        /// Hold all lines.
        ReserveStock(ReserveStock) = "ReserveStock",
        /// The hold no longer expires.
        CommitStock(Reservation) = "CommitStock",
        /// Undo a hold or a commit; before its do it leaves a tombstone.
        ReleaseStock(Reservation) = "ReleaseStock",
        /// The units have left the house.
        ConsumeStock(Reservation) = "ConsumeStock",
        /// Change what is on hand.
        AdjustStock(AdjustStock) = "AdjustStock",
    }
}

/// All lines are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The order.
    pub order: OrderId,
    /// What is held.
    pub lines: Vec<StockLine>,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// A SKU of which there is not enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// The SKU.
    pub sku: Sku,
    /// Units wanted, over all lines.
    pub wanted: u64,
    /// Units that could be had.
    pub available: u64,
    /// Whether the SKU is known at all.
    pub known: bool,
}

/// Nothing is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRejected {
    /// The order.
    pub order: OrderId,
    /// What was missing; empty when the order was undone before its do arrived.
    pub shortages: Vec<Shortage>,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Units that changed hands within one reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockMoved {
    /// The order.
    pub order: OrderId,
    /// Units, over all lines; 0 when there was nothing to do (a tombstone).
    pub units: u64,
    /// The order's own fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

crate::wire_enum! {
    /// What happened to a reservation: recorded in its stream, and answered to the order.
    pub enum InventoryEvent, schema 1 {
        /// All lines are held.
        StockReserved(StockReserved) = "StockReserved",
        /// Nothing is held.
        StockRejected(StockRejected) = "StockRejected",
        /// The hold no longer expires.
        StockCommitted(StockMoved) = "StockCommitted",
        /// There was no hold to commit.
        StockCommitRejected(StockMoved) = "StockCommitRejected",
        /// Nothing is held or committed any more, and nothing will be.
        StockReleased(StockMoved) = "StockReleased",
        /// The units have left the house.
        StockConsumed(StockMoved) = "StockConsumed",
    }
}

/// Units on hand changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockAdjusted {
    /// By how many units.
    pub delta: i64,
    /// The caller's own id of the change.
    pub reference: Name,
    /// Why.
    pub reason: String,
}

/// Units of one SKU moved for one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsMoved {
    /// The order.
    pub order: OrderId,
    /// Units.
    pub units: u64,
}

crate::wire_enum! {
    /// What happened to a SKU: recorded in its stream. A commit touches no SKU: held and committed are both taken.
    pub enum StockEvent, schema 1 {
        /// A receipt, a count, a loss.
        StockAdjusted(StockAdjusted) = "StockAdjusted",
        /// Units were taken for an order.
        UnitsTaken(UnitsMoved) = "UnitsTaken",
        /// Taken units were given back.
        UnitsReturned(UnitsMoved) = "UnitsReturned",
        /// Taken units left the house.
        UnitsConsumed(UnitsMoved) = "UnitsConsumed",
    }
}
