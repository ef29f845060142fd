//! What an order costs, measured beside peers that say what it could cost.
#![doc = include_str!("../README.md")]

pub mod args;
mod fault;
pub mod house;
pub mod load;
pub mod meter;
pub mod peer;
mod process;
mod progress;
pub mod report;
pub mod wire;
pub mod workload;

pub use fault::Fault;
