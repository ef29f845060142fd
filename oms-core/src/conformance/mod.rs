//! The suites that every broker and every store must pass, and the stage on which they run.

mod stage;
pub mod store;

pub use stage::{Stage, Stuck, VirtualClock};
