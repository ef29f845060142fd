//! The loops that join the rules to the world: leases, turns, relay, effects, deadlines, retries and dead letters.
//!
//! A house is usually built and run by [`crate::oms::Oms`]; these are its parts, for a server that puts each loop on a task of
//! its own, and for a simulator that delays and crashes them.
//!
//! ```
//! use oms_core::worker::{Options, RetryPolicy};
//! let retry = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
//! let options = Options { lanes: 16, retry, ..Options::default() };
//! assert_eq!(options.checked().map(|options| options.lanes), Ok(16));
//! ```

mod batch;
mod bell;
mod decide;
mod desk;
mod draft;
mod due;
mod edit;
mod effects;
mod errands;
mod health;
mod incident;
mod lane;
mod lease;
mod memory;
mod metrics;
mod options;
mod origin;
mod parts;
mod place;
mod reader;
mod redrive;
mod relay;
mod request;
mod retry;
mod seal;
mod states;
mod tasks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod turn;
mod vital;
mod watch;
mod work;

pub use edit::{Edit, EditError, Edited, edit};
pub use health::{Health, Standing, health};
pub use metrics::{Metrics, Tally};
pub use options::{Options, OptionsError};
pub use parts::{Parts, Shelves, Supplies};
pub use place::{Causes, Opening, PlaceError, Placed, Placer, Recognises};
pub use redrive::redrive;
pub use request::{Reply, RequestError, request};
pub use retry::RetryPolicy;
pub use tasks::{Task, tasks};
pub use vital::Outage;
pub use watch::Watch;
