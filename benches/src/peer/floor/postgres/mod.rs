//! The floor of PostgreSQL: the very rows of a real run, written again in as many transactions, and nothing else.

mod change;
mod column;
mod record;
mod replay;

pub use record::{PostgresRecording, record_on};
