//! A store that does what its seed says, around the production memory store, and is watched at every commit.

mod port;
mod turn;

pub(crate) use port::SimStore;
