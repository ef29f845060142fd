//! The order management system as an application: what the `oms` command is made of.

pub mod args;
pub mod command;
pub mod exit;
pub mod import;
pub mod ledger;
pub mod plan;
pub mod report;
pub mod shop;
pub mod show;
pub mod source;
pub mod world;
