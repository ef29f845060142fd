//! The door: choose a broker by a feature and a URL, and get everything else of core with it.
#![doc = include_str!("../README.md")]

mod build;
mod built_in;
mod clock;
mod connect;
mod ids;

pub use build::builder;
pub use clock::SystemClock;
pub use connect::{ConnectError, SCHEMES, Scheme, connect};
pub use ids::RandomIds;

pub use oms_core;
pub use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Confirm, Consumer, MemoryBroker, MemoryLimits, Topology},
    clock::{Clock, Timestamp},
    id::{CustomerId, IdSource, OrderId, Sku},
};
#[cfg(feature = "kafka")]
pub use oms_kafka as kafka;
#[cfg(feature = "nats")]
pub use oms_nats as nats;
#[cfg(feature = "rabbitmq")]
pub use oms_rabbitmq as rabbitmq;
