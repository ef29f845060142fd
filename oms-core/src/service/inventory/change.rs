//! A change of a SKU's stock: recorded in its stream, and told to everybody.

use super::stream::stock_of;
use crate::{
    event::{
        Wire as _,
        inventory::StockEvent,
        public::{PublicEvent, UpdatedStock, topic_of},
    },
    id::{OrderId, Sku},
    inventory::Stock,
    service::{Fault, Loaded, Outgoing, Reaction, append, send},
};

/// Appends one event to a SKU's stream, and tells everybody.
pub(super) fn change(
    sku: &Sku,
    event: StockEvent,
    order: Option<&OrderId>,
    loaded: &Loaded,
    reaction: &mut Reaction,
) -> Result<(), Fault> {
    let now = loaded.state::<Stock>(&stock_of(sku))?.copied().unwrap_or_default();
    let mut after = now;
    after.evolve(&event);
    reaction.appends.push(append(stock_of(sku), &now, vec![event])?);
    reaction.outgoing.extend(updated(sku, after, order)?);
    Ok(())
}

fn updated(sku: &Sku, stock: Stock, order: Option<&OrderId>) -> Result<Option<Outgoing>, Fault> {
    let (on_hand, available) = (stock.on_hand, stock.available());
    let event = PublicEvent::StockUpdated(UpdatedStock {
        sku: sku.clone(),
        on_hand,
        available,
        order: order.cloned(),
    });
    topic_of(event.kind()).map(|topic| send(topic, &sku.name(), &event)).transpose()
}
