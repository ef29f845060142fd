//! The one value that a user builds, places orders with, asks and runs.

mod ask;
mod builder;
mod change;
mod run;
mod system;

pub use crate::service::{order::CancelReply, shipping::Released};
pub use ask::{OrderPage, StockPage};
pub use builder::{BuildError, Builder};
pub use change::{Adjusted, PlaceRefusal, Placed, Placement};
pub use run::Drained;
pub use system::Oms;
