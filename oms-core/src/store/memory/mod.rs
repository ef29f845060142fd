//! The store in memory: one process, nothing survives it; the reference for what a store must do.

mod alarms;
mod commit;
mod effects;
mod lanes;
mod leases;
#[cfg(oms_mutants)]
pub mod mutant;
mod owing;
mod parking;
mod public;
mod row;
mod shared;
mod state;
mod store;
mod streams;
mod turn;

pub use store::MemoryStore;
