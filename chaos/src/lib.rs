//! Whole orders over servers that die, forget and are swapped, and what must hold after it.

pub mod args;
pub mod blow;
pub mod campaign;
mod check;
mod coming;
mod customer;
mod drawn;
mod failure;
mod house;
pub mod moment;
mod order;
mod outside;
pub mod process;
mod progress;
pub mod round;
pub mod server;
pub mod store;
mod world;

pub use failure::Failure;
