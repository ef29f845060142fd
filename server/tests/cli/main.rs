//! The `oms` command as scripts meet it: its own process, its exit codes, its files.

#![expect(clippy::expect_used, clippy::panic, reason = "every line of this folder is a test")]

mod asked;
mod broker;
mod killed;
mod kit;
mod letters;
mod past;
mod poison;
mod projections;
mod refused;
mod status;
mod stuck;
