//! The port to services: pure handlers that name the streams they need, and say what happened.

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

pub use append::{append, record, send};
pub use fault::Fault;
pub use handler::{Append, DueIn, Handler, Outcome, Outgoing, Reaction};
pub use loaded::{Aggregate, Entry, Loaded, State};
pub use local::{DEADLINE_REACHED, DeadlineReached, EFFECT_ANSWERED, EffectAnswered};
