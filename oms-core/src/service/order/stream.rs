//! The names of the order service: its group, its kind of streams, and each stream.

use crate::{
    id::OrderId,
    store::{Rank, StreamId},
};

/// The group that the order service hears in.
pub const GROUP: &str = "order";
/// The kind of its streams.
pub const KIND: &str = "order";

/// The stream of an order.
#[must_use]
pub fn stream_of(order: &OrderId) -> StreamId {
    StreamId::named(Rank::Keyed, KIND, &order.name())
}
