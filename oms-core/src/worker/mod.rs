//! The loops that join the rules to the world: leases, turns, relay, effects, deadlines, retries and dead letters.

mod batch;
mod bell;
mod decide;
mod desk;
mod draft;
mod due;
mod effects;
mod incident;
mod lane;
mod lease;
mod metrics;
mod options;
mod origin;
mod parts;
mod place;
mod relay;
mod request;
mod retry;
mod seal;
mod tasks;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod turn;
mod work;

pub use metrics::{Metrics, Tally};
pub use options::{Options, OptionsError};
pub use parts::{Parts, Supplies};
pub use place::{Causes, Opening, PlaceError, Placed, Placer, Recognises};
pub use request::{Reply, RequestError, request};
pub use retry::RetryPolicy;
pub use tasks::{Task, tasks};
