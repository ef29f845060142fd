//! The store's floor: the very rows of a real run, written again in as many transactions, and nothing else.

mod change;
mod record;
mod replay;

pub use record::{Recording, record};
