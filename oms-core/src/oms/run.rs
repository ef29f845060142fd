//! Running the loops: here, all on one task, or each where the caller puts it.

use super::{drive::Drive, system::Oms};
use crate::worker::{Task, tasks};
use futures::future::{Either, select};
use std::{pin::pin, time::Duration};

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Deliveries that were given back to the broker unhandled; they are still owed.
    pub released: usize,
    /// Whether everything that was begun was finished before the deadline. If not, nothing is lost either.
    pub finished: bool,
}

impl Oms {
    /// The loops, each a named future to be driven until it ends (rule 23). Core spawns nothing: spawn each to use all cores.
    /// They end after [`Oms::drain`]; dropping one at any await loses nothing.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        tasks(&self.parts)
    }

    /// Asks the loops to take nothing new, finish what they have begun, and end.
    pub fn drain(&self) {
        self.parts.drain();
    }

    /// Deliveries that were given back to the broker so far.
    #[must_use]
    pub fn released(&self) -> usize {
        self.parts.released()
    }

    /// Runs all loops on the caller's task until `shutdown` ends, then drains for at most `deadline`.
    ///
    /// Dropped at any await it loses nothing: what was in hand is still owed.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send, deadline: Duration) -> Drained {
        let all = Drive::new(self.tasks());
        let rest = match select(pin!(shutdown), all).await {
            Either::Left(((), rest)) => rest,
            // Somebody else drained the house.
            Either::Right(_) => return Drained { released: self.released(), finished: true },
        };
        self.drain();
        let finished = matches!(select(rest, self.parts.clock.sleep(deadline)).await, Either::Left(_));
        Drained { released: self.released(), finished }
    }
}
