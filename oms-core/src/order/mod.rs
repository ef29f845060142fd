//! Orders: what may become one, and how it moves from placed to completed, failed or cancelled, as plain functions.
//!
//! ```
//! use oms_core::order::{Input, Order, Phase};
//! use oms_core::event::order::CancelOrder;
//! use oms_core::id::order_id;
//!
//! let cancel = CancelOrder { order: order_id("shop", "1"), by: "customer".into(), reason: "changed my mind".into() };
//! let refusal = Order::default().decide(&Input::Cancel(&cancel)).unwrap_err();
//! assert_eq!(refusal.reasons, ["this order was never placed"]);
//! ```

mod accept;
mod decide;
mod evolve;
mod facet;
#[cfg(test)]
pub(crate) mod fixture;
pub mod plan;
mod state;
#[cfg(test)]
mod tests;

pub use accept::{
    MAX_KEY_BYTES, MAX_LINES, MAX_QUANTITY, MAX_STREET_LINES, MAX_TEXT_BYTES, NewLine, NewOrder, OrderError,
};
pub use decide::{Input, Refusal};
pub use facet::{Payment, Phase, Shipment, Stock};
pub use state::{CancelWish, Order};

pub use crate::event::public::Status;
