//! Peers: what an order could cost, each measured in the same run.
//!
//! The naive driver is the same house, built for [`crate::house::Way::Naive`].
//!
//! ```
//! use oms_benches::peer::pipeline;
//! let sample = pipeline(20, 5)?;
//! assert_eq!((sample.orders, sample.seconds.len()), (20, 20));
//! # Ok::<(), oms_benches::Fault>(())
//! ```

mod floor;
mod pipeline;

pub use floor::{PostgresRecording, Recording, record, record_on};
pub use pipeline::pipeline;
