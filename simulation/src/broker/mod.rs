//! A broker that does what its seed says: it loses, repeats, delays and reorders, forgets everything, or is dead.

mod port;
mod wire;

pub(crate) use port::SimBroker;
pub(crate) use wire::Wire;
