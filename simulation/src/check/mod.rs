//! What must hold when everything has come to rest.

mod money;
mod rest;

pub(crate) use rest::{at_rest, check};
