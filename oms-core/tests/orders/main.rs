//! Whole orders through the house, on a virtual clock.

mod audit;
mod failing;
mod happy;
mod house;
mod keys;
mod shop;
