//! The book of deliveries: what was sent, to whom it is owed, and what became of it, as the store's commits say.

mod book;
mod summary;

pub(crate) use book::{Book, Call, Reading};
pub(crate) use summary::Summary;
