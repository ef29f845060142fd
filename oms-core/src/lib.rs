//! The order lifecycle of a shop as a library.
#![doc = include_str!("../README.md")]

pub mod broker;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod event;
pub mod gateway;
pub mod id;
pub mod inventory;
pub mod message;
pub mod money;
pub mod notification;
pub mod oms;
pub mod order;
pub mod payment;
pub mod projection;
pub mod saga;
pub mod service;
pub mod shipping;
pub mod store;
pub mod worker;
