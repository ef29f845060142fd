//! The `test` task: everything a change must pass, step by step.

mod builds;
mod counts;
mod plan;
mod runner;
mod step;

pub(crate) use runner::run;
