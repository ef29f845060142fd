//! The store's floor: the very rows of a real run, written again in as many transactions, and nothing else.

mod change;
mod postgres;
mod record;
mod replay;

pub use postgres::{PostgresRecording, record_on};
pub use record::{Recording, record};
