//! The embedded store: events, state and what is owed in one SQLite file.

#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod alarm;
mod commit;
mod error;
mod guard;
mod hearers;
mod known;
mod letters;
mod lock;
mod models;
mod open;
mod options;
mod owed;
mod present;
mod reader;
mod relay;
mod removal;
mod rows;
mod shared;
mod store;
mod streams;
mod turn;
mod waiting;
mod wishes;
mod writer;

pub use error::OpenError;
pub use open::open;
pub use options::{Options, Synchronous};
pub use store::SqliteStore;
