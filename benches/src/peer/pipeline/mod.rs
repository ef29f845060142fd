//! Five tasks joined by channels, with the same codec and the same sixteen messages, and nothing that survives anything.

mod order;
mod post;
mod run;
mod services;

pub use run::pipeline;
