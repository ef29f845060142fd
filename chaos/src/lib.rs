//! Whole orders over servers that die, forget and are swapped, and what must hold after it.

pub mod args;
pub mod blow;
pub mod campaign;
mod check;
mod customer;
mod failure;
mod house;
mod order;
pub mod round;
pub mod server;
mod world;

pub use failure::Failure;
