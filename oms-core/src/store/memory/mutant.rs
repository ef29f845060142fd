//! The guards of this store that a planted bug leaves out; compiled with `--cfg oms_mutants` only.
//!
//! ```
//! use oms_core::store::mutant::{Guard, leave_out};
//! leave_out(&[Guard::Epoch]);
//! leave_out(&[]);
//! ```

use crate::message::GroupLane;
use std::cell::Cell;

thread_local! {
    static LEFT_OUT: Cell<u8> = const { Cell::new(0) };
    static TURNS: Cell<u64> = const { Cell::new(0) };
}

/// What makes two turns in one lane safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The lane stays locked until the commit.
    Lock = 1,
    /// The position is read behind the lock.
    Behind = 2,
    /// A commit looks at the position again.
    Position = 4,
    /// A turn looks at the lease's epoch.
    Epoch = 8,
    /// A commit looks at what it consumes again.
    Consumed = 16,
}

/// Leaves these guards out of every store of this thread, and no others.
pub fn leave_out(guards: &[Guard]) {
    LEFT_OUT.set(guards.iter().fold(0, |all, guard| all | *guard as u8));
}

pub(super) fn lacks(guard: Guard) -> bool {
    LEFT_OUT.get() & guard as u8 != 0
}

/// A lane that no other turn locks.
pub(super) fn nobodys() -> GroupLane {
    TURNS.set(TURNS.get() + 1);
    GroupLane::new(&format!("nobody/{}", TURNS.get()), 0)
}
