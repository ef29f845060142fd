//! The rules of stock: what a reservation and a SKU may do, without knowing who asks or where they are kept.
//!
//! ```
//! use oms_core::inventory::Stock;
//! let stock = Stock { on_hand: 5, taken: 2 };
//! assert_eq!(stock.available(), 3);
//! ```

mod reservation;
mod stock;

pub use reservation::{Decision, Move, Phase, Refusal, Reservation, demand};
pub use stock::Stock;
