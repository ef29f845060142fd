//! The order lifecycle of a shop as a library.
