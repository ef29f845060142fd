//! The port to services: pure handlers that name the streams they need, and say what happened.
//!
//! A service folds its events into an [`Aggregate`], and appends what it decides:
//!
//! ```
//! use oms_core::{service::{Aggregate, append}, store::StreamId};
//! use serde::{Deserialize, Serialize};
//!
//! oms_core::wire_enum! {
//!     /// What a loyalty programme records.
//!     pub enum LoyaltyEvent, schema 1 {
//!         /// Points were given; how many.
//!         PointsGiven(u64) = "PointsGiven",
//!     }
//! }
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! struct Loyalty {
//!     points: u64,
//! }
//!
//! impl Aggregate for Loyalty {
//!     const SCHEMA: u16 = 1;
//!     type Event = LoyaltyEvent;
//!
//!     fn evolve(&mut self, event: &LoyaltyEvent) {
//!         match event {
//!             LoyaltyEvent::PointsGiven(points) => self.points += points,
//!         }
//!     }
//! }
//!
//! let stream = StreamId::keyed("loyalty", "c-1");
//! let given = append(stream, &Loyalty { points: 4 }, vec![LoyaltyEvent::PointsGiven(3)])?;
//! let next = given.next.as_ref().and_then(|next| next.any().downcast_ref::<Loyalty>());
//! assert_eq!(next.map(|loyalty| loyalty.points), Some(7));
//! # Ok::<(), oms_core::service::Fault>(())
//! ```

mod append;
mod fault;
mod handler;
pub mod inventory;
mod loaded;
mod local;
pub mod notification;
pub mod order;
pub mod payment;
pub mod shipping;
mod watch;

use append::folded;
pub use append::{append, record, send};
pub use fault::Fault;
pub use handler::{Append, DueIn, Handler, Outcome, Outgoing, Reaction};
pub use loaded::{Aggregate, Entry, Loaded, State};
pub use local::{DEADLINE_REACHED, DeadlineReached, EFFECT_ANSWERED, EffectAnswered};
