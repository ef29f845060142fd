//! Rounds over PostgreSQL: its server is killed, and the processes of the house are killed and put to sleep.
//!
//! ```
//! use oms_chaos::store::{Strike, Strikes};
//! let rounds = Strikes { kills: 20, deaths: 100, sleeps: 3 }.rounds(1);
//! assert_eq!(rounds.len(), 2);
//! assert_eq!(rounds.iter().flatten().filter(|strike| matches!(strike, Strike::Death(_))).count(), 100);
//! ```

mod campaign;
mod crew;
mod round;
mod strike;

pub use campaign::{Summary, run};
pub use round::{CameTo, Ground, Round, play};
pub use strike::{Strike, Strikes};
