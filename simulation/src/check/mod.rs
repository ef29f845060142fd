//! What must hold: after every commit, and when everything has come to rest.

mod book;
mod rest;

pub(crate) use book::{Book, Call, Reading, Summary};
pub(crate) use rest::{at_rest, check};
