//! Identities: what orders, messages, keys and owners are called, and how an id is minted.

mod digest;
mod stream;
mod table;
mod text;
mod wire;

pub use digest::{Digest, MessageId, order_id};
pub use stream::{Rank, StreamId};
pub(crate) use table::Table;
pub use text::{CustomerId, IdError, MAX_ID_BYTES, OrderId, Sku};
pub(crate) use wire::{read_json, read_text, write_json};

/// A shared, immutable name: cheap to clone, compared by its text.
pub type Name = std::sync::Arc<str>;

/// The only source of chance in the house: owners' names and the jitter of waits.
///
/// Messages are never numbered from here; their ids are minted from their cause (rule 5).
/// An implementation promises that two processes are very unlikely to draw the same value.
pub trait IdSource: Send + Sync {
    /// Draws the next value.
    fn next(&self) -> u128;
}
