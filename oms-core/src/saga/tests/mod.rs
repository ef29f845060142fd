//! The paths of an order, and every path there is, over the pure machine and the saga's executor.

mod explore;
mod paths;
mod shuffle;
mod world;

use super::{Command, SagaTimes, follow};
use crate::{
    event::Wire as _,
    order::{Order, Refusal, fixture::Say},
};

/// Says one thing to an order; gives the names of what happened, and of what is told because of it.
fn step(order: &mut Order, say: Say) -> Result<(Vec<&'static str>, Vec<&'static str>), Refusal> {
    let before = order.clone();
    let events = order.hear(say)?;
    let told = follow(&before, order, &SagaTimes::default()).commands;
    Ok((events.iter().map(|event| event.kind()).collect(), told.iter().map(kind).collect()))
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Inventory(command) => command.kind(),
        Command::Payment(command) => command.kind(),
        Command::Shipping(command) => command.kind(),
    }
}
