//! The verdict on one invariant.

/// Whether an invariant holds; otherwise what is wrong, in words.
pub type Held = Result<(), String>;
