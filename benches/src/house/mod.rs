//! The house under measurement: five services over a store and a broker, each loop on a task of its own.
//!
//! ```
//! use oms_benches::house::{House, Keep, Plan};
//! # #[tokio::main]
//! # async fn main() -> Result<(), oms_benches::Fault> {
//! let house = House::open(&Plan::over(Keep::Memory)).await?;
//! assert_eq!(house.counts().await?.owed, 0);
//! house.close().await;
//! # Ok(())
//! # }
//! ```

mod basket;
mod finish;
mod nowhere;
mod open;
mod repeating;
mod watched;
mod world;

pub use basket::{Basket, deliveries};
pub use finish::{ENDED, FinishLine, Passing, WAITING};
pub use nowhere::Nowhere;
pub use open::{Carry, House, Keep, Over, Plan, Way, in_schema, open_store, postgres};
pub use repeating::Repeating;
pub use watched::Watched;
pub use world::{Carrier, Deeds, Notifier, Provider, World};
