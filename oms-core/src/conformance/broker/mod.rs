//! What every broker must prove: one function per sentence of the port's contract.
//!
//! An adapter implements [`Harness`] for its server and runs [`run`]; the report names every check.
//! What needs a server process to be stopped, killed or cut off is tested beside the adapters.

mod check;
mod delivery;
mod groups;
mod harness;
mod lifecycle;
mod order;
mod pressure;
mod scene;
mod settlement;
mod suite;
mod watch;

pub use harness::{Harness, Need};
pub use suite::{checks, run};
