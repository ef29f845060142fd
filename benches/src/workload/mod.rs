//! Workloads: what is compared with what, and what it should reach.
//!
//! ```
//! use oms_benches::workload::Scale;
//! assert!(Scale::full().rounds >= 5);
//! assert!(Scale::quick().rounds < Scale::full().rounds);
//! ```

mod brokers;
mod dedupe;
mod figure;
mod memory;
mod rebuild;
mod relay;
mod saga;
mod scale;
mod start;

pub use brokers::{Counted, brokers, counted};
pub use dedupe::dedupe;
pub use figure::Figure;
pub use memory::{Measured, Point, Waiting, measure, memory};
pub use rebuild::rebuild;
pub use relay::relay;
pub use saga::{Part, saga};
pub use scale::{Scale, stores};
pub use start::{Cold, first_order, start};
