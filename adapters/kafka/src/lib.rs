//! The Kafka adapter: packs in explicit partitions, one reader per lane.
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod ask;
mod batch;
mod broker;
mod builder;
mod commits;
mod connection;
mod consumer;
mod declare;
mod ends;
mod errors;
mod group;
mod lane;
mod mechanism;
mod note;
mod notices;
mod once;
mod publisher;
mod retire;
mod route;
mod settings;
mod settlement;
mod topology;
mod url;

pub use builder::{Builder, connect};
pub use mechanism::Mechanism;
