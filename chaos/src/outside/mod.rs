//! The outside world in a process that nobody kills: providers behind a socket, and the doors to them in each process of the house.

mod door;
mod providers;
mod wire;

pub(crate) use door::furnish;
pub(crate) use providers::Providers;
