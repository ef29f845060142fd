//! The RabbitMQ adapter: a direct exchange per topic, a quorum queue per group and lane.
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod broker;
mod builder;
mod consumer;
mod courier;
mod declare;
mod errors;
mod held;
mod line;
mod names;
mod publisher;
mod settings;
mod talk;
mod url;

pub use builder::{Builder, connect};
