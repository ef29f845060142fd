//! One check of a broker.

use super::{
    super::report::Check,
    harness::{Harness, Need},
};

/// A check of a broker.
pub(super) type BrokerCheck = Check<dyn Harness, Need>;

/// Names a check: its id, its sentence, what it needs, and the function that proves it.
macro_rules! check {
    ($id:literal, $name:literal, [$($need:ident),*], $run:path) => {
        crate::conformance::report::Check {
            id: $id,
            name: $name,
            needs: &[$(crate::conformance::broker::harness::Need::$need),*],
            run: |harness| Box::pin($run(harness)),
        }
    };
}
pub(super) use check;
