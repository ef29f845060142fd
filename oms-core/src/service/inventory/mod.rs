//! The inventory service: hears what is to be held, given back, consumed or adjusted, and answers the order.

mod adjust;
mod aggregate;
mod change;
mod stream;

pub use adjust::{Adjusted, Adjustment, adjustment_of};
pub use stream::{ADJUSTMENT, RESERVATION, STOCK, reservation_of, stock_of};

use super::{Entry, Fault, Handler, Loaded, Outcome, Reaction, State, append, send};
use crate::{
    event::{
        Wire as _,
        inventory::{InventoryCommand, StockEvent, UnitsMoved},
        topic,
    },
    id::{Name, OrderId, Sku},
    inventory::{Move, Reservation, Stock, demand},
    message::Message,
    store::{Event, StreamId},
};
use change::change;
use std::sync::Arc;

/// The group that the inventory service hears in.
pub const GROUP: &str = "inventory";
/// The inventory service. Holds do not expire yet.
///
/// ```
/// use oms_core::service::{Handler, inventory::InventoryService};
/// assert_eq!(&*InventoryService.group(), "inventory");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InventoryService;

impl Handler for InventoryService {
    fn group(&self) -> Name {
        Name::from(GROUP)
    }

    fn hears(&self) -> Vec<Name> {
        vec![Name::from(topic::INVENTORY_COMMANDS)]
    }

    fn owns(&self) -> Vec<Name> {
        [RESERVATION, STOCK, ADJUSTMENT].map(Name::from).to_vec()
    }

    fn streams(&self, message: &Message, known: &Loaded) -> Vec<StreamId> {
        // What cannot be read faults in `handle`; it needs no streams.
        read(message).map(|command| needed(&command, known)).unwrap_or_default()
    }

    fn handle(&self, message: &Message, loaded: &Loaded) -> Outcome {
        hear(message, loaded).unwrap_or_else(Outcome::Fault)
    }

    fn evolve(&self, stream: &StreamId, now: &Entry, event: &Event) -> Result<Arc<dyn State>, Fault> {
        match &*stream.kind {
            RESERVATION => now.evolved::<Reservation>(event),
            STOCK => now.evolved::<Stock>(event),
            ADJUSTMENT => now.evolved::<Adjustment>(event),
            other => Err(Fault::Permanent(format!("the inventory service owns no stream of kind {other}"))),
        }
    }
}

fn read(message: &Message) -> Result<InventoryCommand, Fault> {
    let envelope = &message.envelope;
    Ok(InventoryCommand::decode(&envelope.kind, envelope.schema, &message.body)?)
}

/// The reservation first; its SKUs once its lines are known.
fn needed(command: &InventoryCommand, known: &Loaded) -> Vec<StreamId> {
    let (order, lines) = match command {
        InventoryCommand::ReserveStock(wish) => (&wish.order, Some(wish.lines.as_slice())),
        InventoryCommand::ReleaseStock(of) | InventoryCommand::ConsumeStock(of) => {
            let held = known.state::<Reservation>(&reservation_of(of.order.as_str()));
            (&of.order, held.ok().flatten().map(Reservation::lines))
        }
        InventoryCommand::CommitStock(of) => (&of.order, None),
        InventoryCommand::AdjustStock(wish) => {
            return vec![adjustment_of(&wish.sku, &wish.reference), stock_of(&wish.sku)];
        }
    };
    let skus = demand(lines.unwrap_or_default());
    std::iter::once(reservation_of(order.as_str())).chain(skus.keys().map(stock_of)).collect()
}

fn hear(message: &Message, loaded: &Loaded) -> Result<Outcome, Fault> {
    let command = read(message)?;
    let needs = needed(&command, loaded);
    if needs.iter().any(|stream| loaded.get(stream).is_none()) {
        return Ok(Outcome::Missing(needs));
    }
    match &command {
        InventoryCommand::AdjustStock(wish) => adjust::hear(wish, loaded).map(Outcome::Reaction),
        InventoryCommand::ReserveStock(wish) => reserve(&command, &wish.order, loaded),
        InventoryCommand::CommitStock(of)
        | InventoryCommand::ReleaseStock(of)
        | InventoryCommand::ConsumeStock(of) => reserve(&command, &of.order, loaded),
    }
}

fn reserve(command: &InventoryCommand, order: &OrderId, loaded: &Loaded) -> Result<Outcome, Fault> {
    let stream = reservation_of(order.as_str());
    let now = loaded.state::<Reservation>(&stream)?.cloned().unwrap_or_default();
    if !now.is_whole() {
        return Err(Fault::Permanent(format!("the fixed part of {stream} is missing")));
    }
    for stream in needed(command, loaded).iter().filter(|stream| &*stream.kind == STOCK) {
        loaded.state::<Stock>(stream)?;
    }
    let available = |sku: &Sku| {
        let entry = loaded.get(&stock_of(sku)).filter(|entry| entry.stream.version > 0)?;
        entry.state::<Stock>().ok().map(|stock| stock.available())
    };
    let decision = now.decide(command, available).map_err(|refusal| Fault::Permanent(refusal.to_string()))?;
    let mut reaction = Reaction {
        outgoing: vec![send(topic::INVENTORY_EVENTS, &order.name(), &decision.answer)?],
        ..Reaction::default()
    };
    if decision.recorded {
        reaction.appends.push(append(stream, &now, vec![decision.answer])?);
    }
    for (how, sku, units) in decision
        .moved
        .into_iter()
        .flat_map(|(how, skus)| skus.into_iter().map(move |(sku, units)| (how, sku, units)))
    {
        let moved = UnitsMoved { order: order.clone(), units };
        let event = match how {
            Move::Take => StockEvent::UnitsTaken(moved),
            Move::Return => StockEvent::UnitsReturned(moved),
            Move::Consume => StockEvent::UnitsConsumed(moved),
        };
        change(&sku, event, Some(order), loaded, &mut reaction)?;
    }
    Ok(Outcome::Reaction(reaction))
}

#[cfg(test)]
mod tests;
