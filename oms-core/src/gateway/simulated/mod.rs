//! Simulated providers: they ship with the library, misbehave on purpose, and keep their own books.
//!
//! ```
//! use oms_core::gateway::simulated::Draws;
//! let draws = Draws::new(7).declining(50_000);
//! assert_eq!(draws.declines("o-1"), Draws::new(7).declining(50_000).declines("o-1"));
//! ```

mod book;
mod carrier;
mod draws;
mod notifier;
mod provider;

pub use carrier::SimulatedCarrier;
pub use draws::{Draws, Windows};
pub use notifier::SimulatedNotifier;
pub use provider::SimulatedProvider;
