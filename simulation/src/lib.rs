//! The production loops under a seeded scheduler and a virtual clock.
//!
//! The services, the loops, the in-process broker and the memory store run unmodified on one thread. What surrounds them
//! goes wrong by seed; after each run every promise is held against the store's commits and the providers' own books.
//!
//! ```
//! use oms_simulation::{Cuts, run};
//! let outcome = run(7, &Cuts::default(), None, false);
//! assert!(outcome.wrong.is_empty() && outcome.polls > 0);
//! ```

mod args;
mod broker;
mod bugs;
mod campaign;
mod check;
mod clock;
mod codec;
mod customer;
mod deliveries;
mod dice;
mod executor;
mod fault;
mod gateway;
mod groups;
mod hearer;
mod hunt;
mod lock;
mod mark;
mod plan;
mod plant;
mod process;
mod run;
mod shrink;
mod store;
mod trace;
mod trouble;
mod watch;
mod world;

pub use args::{Arguments, command};
pub use campaign::{Campaign, Found};
pub use dice::Dice;
pub use fault::{Fault, Rates};
pub use hunt::{Hunt, hunt_all, plants_table};
pub use mark::{Mark, Marks};
pub use plan::{Cuts, ORDERS, Plan, Workload};
pub use plant::Plant;
pub use run::{Outcome, run};
pub use shrink::shrink;
