//! What every broker must prove: one function per sentence of the port's contract.
//!
//! An adapter implements [`Harness`] for its server and runs [`run`]; the report names every check.
//! What a harness cannot do it declares absent; a check that needs it then says that it does not apply, and why.

mod check;
mod delivery;
mod faults;
mod groups;
mod harness;
mod lifecycle;
mod order;
mod persist;
mod pressure;
mod scene;
mod settlement;
mod suite;
mod watch;

pub use harness::{End, Harness, Need, Weather};
pub use suite::{checks, run, run_chosen};
