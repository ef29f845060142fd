//! From what an order has decided to everything that its turn writes.

use super::{
    super::{DueIn, Fault, Outgoing, Reaction, folded, send},
    announce,
    stream::stream_of,
};
use crate::{
    event::{order::OrderEvent, topic},
    id::Name,
    order::Order,
    saga::{Command, Follow, SagaClock, SagaTimes, follow},
};

/// Everything that follows from `events` on an order: the events, the saga's words, the deadline, the public words.
pub(super) fn react(before: &Order, events: Vec<OrderEvent>, times: &SagaTimes) -> Result<Reaction, Fault> {
    if events.is_empty() {
        return Ok(Reaction::default());
    }
    let mut after = before.clone();
    events.iter().for_each(|event| after.evolve(event));
    let Some(placed) = after.placed() else { return Ok(Reaction::default()) };
    let (stream, key) = (stream_of(&placed.order), placed.order.name());
    let Follow { commands, clock } = follow(before, &after, times);
    let deadline = clock.map(|clock| (stream.clone(), due(clock, &commands)));
    let mut outgoing = Vec::with_capacity(commands.len() + 1);
    for command in &commands {
        outgoing.push(tell(&key, command)?);
    }
    for event in &events {
        outgoing.extend(announce::published(&after, event)?);
    }
    Ok(Reaction {
        appends: vec![folded(stream, after, &events)?],
        outgoing,
        deadlines: deadline.into_iter().collect(),
        ..Reaction::default()
    })
}

fn due(clock: SagaClock, commands: &[Command]) -> Option<DueIn> {
    match clock {
        SagaClock::Stop => None,
        SagaClock::Start { delay, command } => {
            // Commands are the first messages of a reaction, so they have the same places there.
            let waits_for = commands.get(command).map(|told| (command, Name::from(hearer(told))));
            Some(DueIn { delay, waits_for })
        }
    }
}

/// The group that hears a command.
fn hearer(command: &Command) -> &'static str {
    match command {
        Command::Inventory(_) => "inventory",
        Command::Payment(_) => "payment",
        Command::Shipping(_) => "shipping",
    }
}

fn tell(key: &Name, command: &Command) -> Result<Outgoing, Fault> {
    match command {
        Command::Inventory(command) => send(topic::INVENTORY_COMMANDS, key, command),
        Command::Payment(command) => send(topic::PAYMENT_COMMANDS, key, command),
        Command::Shipping(command) => send(topic::SHIPPING_COMMANDS, key, command),
    }
}
