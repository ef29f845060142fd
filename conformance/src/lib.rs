//! The broker suite over real servers: one server for a run, with a disk that a check may wipe.
#![doc = include_str!("../README.md")]

mod harness;

pub use harness::RealServer;
