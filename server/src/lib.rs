//! The order management system as an application: what the `oms` command is made of.

pub mod plan;
pub mod source;
