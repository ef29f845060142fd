//! The suites that every broker and every store must pass, and the stage on which they run.

pub mod broker;
pub mod models;
mod report;
mod stage;
pub mod store;

pub use report::{Check, Failure, Finding, Line, Report, Verdict, ensure, run};
pub use stage::{Stage, Stuck, VirtualClock};
