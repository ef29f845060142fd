//! The in-process broker: groups, lanes, order, redelivery, exact lag and bounded memory, without a server.

mod broker;
mod connection;
mod consumer;
mod lane;
mod limits;
mod wire;

pub use broker::MemoryBroker;
pub use limits::MemoryLimits;

#[cfg(test)]
mod tests;
