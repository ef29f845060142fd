//! Load: how orders come in, and what a run of them cost.
//!
//! ```
//! use oms_benches::{house::{Keep, Plan}, load::{Load, run}};
//! let sample = run(&Plan::over(Keep::Memory), &Load { orders: 4, window: 2, warm: 2, ..Load::default() })?;
//! assert_eq!(sample.orders, 4);
//! # Ok::<(), oms_benches::Fault>(())
//! ```

mod beside;
mod closed;
mod open;
mod outside;
mod rounds;
mod run;
mod sample;

pub use closed::closed;
pub use outside::{client, number};
pub use rounds::{Contender, Series, interleave};
pub use run::{Load, Pace, fill, place, run, run_over, with_runtime, with_time};
pub use sample::Sample;
