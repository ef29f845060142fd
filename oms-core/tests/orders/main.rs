//! Whole orders through the house, on a virtual clock.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on stops")]

mod audit;
mod cancels;
mod chaos;
mod crash;
mod disturbed;
mod failing;
mod fields;
mod happy;
mod house;
mod keys;
mod late;
mod market;
mod models;
mod odd;
mod pace;
mod shop;
mod storm;
mod tombstones;
