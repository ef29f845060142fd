//! What must hold: after every commit, and when everything has come to rest.

mod book;
mod money;
mod rest;
mod summary;

pub(crate) use book::{Book, Call, Reading};
pub(crate) use rest::{at_rest, check};
pub(crate) use summary::Summary;
