//! What a lane remembers between its turns; nothing is lost with it.

use super::{decide::Wanted, states::States};

/// Hints for the next turn, which reads everything behind the lock all the same.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) wanted: Wanted,
    pub(super) states: States,
}
