//! The store for several processes: events, state and what is owed in one schema of a PostgreSQL database.

#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod alarm;
mod audit;
mod book;
mod commit;
mod error;
mod gather;
mod hand;
mod heads;
mod hearers;
mod known;
mod lease;
mod lent;
mod letters;
mod link;
mod lock;
mod models;
mod open;
mod options;
mod owed;
mod pipe;
mod reads;
mod relay;
mod roles;
mod rows;
mod shared;
mod store;
mod streams;
mod turn;
mod waiting;
mod wishes;
mod within;

pub use {deadpool_postgres, tokio_postgres};

pub use audit::{Audit, Broken};
pub use error::OpenError;
pub use open::open;
pub use options::Options;
pub use roles::role_script;
pub use store::PostgresStore;
