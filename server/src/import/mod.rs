//! Bringing a file into the house: opening stock, orders, cancellations, until nothing moves any more.
//!
//! Every step may be repeated: a second run finds what a first one did, and goes on where it stopped.
//!
//! ```
//! use oms_server::import::{PRINCIPAL, opening_stock};
//! use oms_core::id::{Sku, order_id};
//! let opening = opening_stock(&Sku::new("85123A")?, 1_000);
//! assert_eq!(opening.reference, opening_stock(&Sku::new("85123A")?, 5).reference);
//! assert_eq!(order_id(PRINCIPAL, "536365").as_str().len(), 32);
//! # Ok::<(), oms_core::id::IdError>(())
//! ```

mod house;
mod intake;
mod pace;
mod stock;
mod watch;

pub use house::{House, HouseError, NotPlaced, Standing, Wish};
pub use intake::{Intake, Taken};
pub use pace::{Pace, Stop};
pub use stock::{StockFileError, StockLevels, opening_stock};
pub use watch::{Settled, Watch};

/// Who places an import's orders, as far as idempotency keys go: the same invoice is the same order in every run.
pub const PRINCIPAL: &str = "import";

#[cfg(test)]
mod tests;
