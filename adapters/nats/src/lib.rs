//! The NATS JetStream adapter: a stream per topic, a subject per lane, a durable pull consumer per group and lane.
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod answers;
mod broker;
mod builder;
mod connection;
mod consumer;
mod courier;
mod declare;
mod errors;
mod names;
mod part;
mod publisher;
mod settings;
mod url;

pub use builder::{Builder, connect};
