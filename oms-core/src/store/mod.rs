//! The port to the transactional store: it owes messages, keeps streams, and lets one owner at a time into a lane.

mod error;
pub mod locks;
mod memory;
mod port;
mod stream;
mod tenancy;
mod turn;

pub use crate::id::{Rank, StreamId};
pub use error::StoreError;
pub use memory::MemoryStore;
#[cfg(oms_mutants)]
pub use memory::mutant;
pub use port::{
    Counts, DeadLetter, DeadLetterState, PUBLIC, Pick, PublicPack, Recorded, Registered, Store,
    StoreCapabilities, Waiting,
};
pub use stream::{Deadline, Event, MAX_KIND_BYTES, Stream, Streams, WaitsFor};
pub use tenancy::{Owners, Tenures};
pub use turn::{
    Ask, Buried, Consumed, Doing, End, Found, Lease, Local, LocalMessage, Owed, Parked, Right, Turn, Write,
    Writes,
};
