//! Whole orders through the house, on a virtual clock.

mod audit;
mod cancels;
mod failing;
mod fields;
mod happy;
mod house;
mod keys;
mod shop;
