//! A broker that does what its seed says: it loses, repeats, delays and reorders, forgets everything, or is dead.

mod consumer;
mod port;

pub(crate) use port::SimBroker;
