//! Meters: processor time, pressure and memory of this process and machine.
//!
//! ```
//! use oms_benches::meter::{Stopwatch, resident_bytes};
//! let watch = Stopwatch::start();
//! assert!(resident_bytes()? > 0);
//! assert!(watch.read().cpu <= watch.read().cpu);
//! # Ok::<(), oms_benches::Fault>(())
//! ```

mod memory;
mod server;
mod watch;

pub use memory::{Memory, memory, resident_bytes};
pub use server::{used_by, used_by_all};
pub use watch::{Stopwatch, Times, pressure};
