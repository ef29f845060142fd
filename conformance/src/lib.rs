//! The broker suite over real servers, once and in campaigns.
#![doc = include_str!("../README.md")]

mod args;
mod campaign;
mod capability;
mod harness;
mod in_process;
mod summary;

pub use args::{Args, Named};
pub use campaign::campaign;
pub use capability::{Cell, column, column_of};
pub use harness::RealServer;
pub use in_process::InProcess;
pub use summary::Summary;
