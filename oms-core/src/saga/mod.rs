//! The saga's executor: from the order before and after a decision, and its plan, to what is told to whom.
//!
//! It decides nothing: the order's machine has begun steps and undos, and what was begun in this turn is said in this turn.
//!
//! ```
//! use oms_core::{order::Order, saga::{SagaTimes, follow}};
//! let nothing = follow(&Order::default(), &Order::default(), &SagaTimes::default());
//! assert!(nothing.commands.is_empty() && nothing.clock.is_none());
//! ```

mod command;
#[cfg(test)]
mod tests;
mod times;

pub use command::Command;
pub use times::SagaTimes;

use crate::order::{Order, plan::Step};
use std::time::Duration;

/// What becomes of the deadline of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SagaClock {
    /// The step that was begun must be answered within `delay`, once its command was heard.
    Start {
        /// How long it may take.
        delay: Duration,
        /// Which of [`Follow::commands`] it waits for.
        command: usize,
    },
    /// The step with a deadline is over.
    Stop,
}

/// What follows from one decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    /// What is told, in the order of the plan: steps first, then undos.
    pub commands: Vec<Command>,
    /// What becomes of the deadline; `None` when it stays as it is.
    pub clock: Option<SagaClock>,
}

/// Says what follows from a decision that took the order from `before` to `after`.
///
/// A step or undo is told when it has begun in between; a repeated message begins nothing, and tells nothing.
#[must_use]
pub fn follow(before: &Order, after: &Order, times: &SagaTimes) -> Follow {
    let mut commands = Vec::new();
    let mut clock = timed(before).filter(|_| timed(after) != timed(before)).map(|_| SagaClock::Stop);
    let begun = |step: &&Step| after.started().contains(&step.name) && !before.started().contains(&step.name);
    for step in after.plan().steps.iter().filter(begun) {
        let Some(command) = Command::begin(step.tell, after) else { continue };
        // A step that was begun and ended in one decision has nothing to wait for.
        if let Some((timer, _)) = step.deadline.filter(|_| after.under_way() == Some(step)) {
            clock = Some(SagaClock::Start { delay: times.of(timer, after), command: commands.len() });
        }
        commands.push(command);
    }
    let undone = after.undoing().difference(before.undoing());
    commands.extend(undone.filter_map(|undo| Command::undo(*undo, after)));
    Follow { commands, clock }
}

fn timed(order: &Order) -> Option<&'static Step> {
    order.under_way().filter(|step| step.deadline.is_some())
}
