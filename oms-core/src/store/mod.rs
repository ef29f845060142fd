//! The port to the transactional store: it owes messages, keeps streams, and lets one owner at a time into a lane.

mod error;
mod letter;
pub mod locks;
pub mod marks;
mod memory;
mod port;
mod sound;
mod stream;
mod tenancy;
mod turn;
pub mod wire;
mod wish;
mod within;

pub use crate::id::{Rank, StreamId};
pub use error::StoreError;
pub use letter::{DeadLetter, DeadLetterState, Pick, Seek, Verdict};
pub use memory::MemoryStore;
#[cfg(oms_mutants)]
pub use memory::mutant;
pub use port::{Counts, PUBLIC, PublicPack, Recorded, Registered, Store, StoreCapabilities, Waiting};
pub use sound::lanes_fit;
pub use stream::{Deadline, Event, MAX_KIND_BYTES, Stream, Streams, WaitsFor};
pub use tenancy::{Lease, Owners, Tenures};
pub use turn::{
    Ask, Buried, Consumed, End, Found, Local, LocalMessage, Owed, Parked, Right, Turn, Write, Writes,
};
pub use wish::{Claimed, Doing, Postponed, Then};
pub use within::Within;
