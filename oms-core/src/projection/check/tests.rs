//! Each invariant, broken once and held once.
