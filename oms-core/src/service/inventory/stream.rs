//! The streams of the inventory service.

use crate::{
    id::Sku,
    store::{Rank, StreamId},
};

/// The kind of the streams of reservations, one for each order.
pub const RESERVATION: &str = "reservation";
/// The kind of the streams of SKUs, locked by themselves.
pub const STOCK: &str = "stock";
/// The kind of the streams that remember changes from outside.
pub const ADJUSTMENT: &str = "adjustment";

/// The stream of an order's reservation.
#[must_use]
pub fn reservation_of(order: &str) -> StreamId {
    StreamId::keyed(RESERVATION, order)
}

/// The stream of a SKU.
#[must_use]
pub fn stock_of(sku: &Sku) -> StreamId {
    StreamId::named(Rank::Shared, STOCK, &sku.name())
}
