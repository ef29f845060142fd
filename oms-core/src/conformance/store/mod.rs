//! What every store must prove: one check for each sentence of the contract.

mod check;
mod deadlines;
mod effects;
mod harness;
mod installation;
mod kit;
mod lanes;
mod letters;
mod owed;
mod parking;
mod streams;
mod suite;
mod waits;

pub use check::{Check, Need, Outcome};
pub use harness::Harness;
pub use kit::{Failure, Kit};
pub use suite::{Report, checks, run};
