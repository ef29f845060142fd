//! What people and scripts see: tables, one JSON object, a progress bar.
//!
//! ```
//! assert_eq!(oms_server::show::grouped(-1_234_567), "-1,234,567");
//! ```

mod blow;
mod json;
mod ports;
mod progress;
mod table;

pub use blow::{BlowAnswer, LedgerAnswer};
pub use json::{CheckAnswer, Cost, DemoAnswer, ImportAnswer, StuckAnswer, object};
pub use ports::{HealthAnswer, PortAnswer, ports};
pub use progress::Progress;
pub use table::{amount, figures, grouped, table};
