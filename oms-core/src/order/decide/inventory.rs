//! What an order makes of the inventory service's words.

use super::turn::Turn;
use crate::{
    event::{
        inventory::{InventoryEvent, StockRejected},
        order::{FailureReason, OrderEvent, OrderShort},
    },
    order::{
        facet::{Phase, Stock},
        plan::{StepName, Undo},
    },
};

pub(super) fn hear(turn: &mut Turn<'_>, event: &InventoryEvent) {
    let phase = turn.before.phase;
    match event {
        InventoryEvent::StockReserved(_) if phase == Phase::Reserving => {
            turn.say(OrderEvent::OrderStockHeld(turn.fact()));
        }
        InventoryEvent::StockRejected(rejected) if phase == Phase::Reserving => refused(turn, rejected),
        InventoryEvent::StockCommitted(_) if phase == Phase::Committing => {
            turn.say(OrderEvent::OrderStockCommitted(turn.fact()));
        }
        InventoryEvent::StockCommitRejected(_) if phase == Phase::Committing => {
            turn.say(OrderEvent::OrderStockCommitRejected(turn.fact()));
            turn.fail(FailureReason::HoldExpired);
        }
        InventoryEvent::StockReleased(_) if turn.before.undoing.contains(&Undo::ReleaseStock) => {
            turn.say(OrderEvent::OrderStockReleased(turn.fact()));
        }
        InventoryEvent::StockConsumed(_) if is_consuming(turn) => {
            turn.say(OrderEvent::OrderStockConsumed(turn.fact()));
        }
        // Late or repeated: the phase has gone on without it.
        InventoryEvent::StockReserved(_)
        | InventoryEvent::StockRejected(_)
        | InventoryEvent::StockCommitted(_)
        | InventoryEvent::StockCommitRejected(_)
        | InventoryEvent::StockReleased(_)
        | InventoryEvent::StockConsumed(_) => {}
    }
}

fn refused(turn: &mut Turn<'_>, rejected: &StockRejected) {
    let shortages = rejected.shortages.clone();
    turn.say(OrderEvent::OrderStockRejected(OrderShort { order: turn.order(), shortages }));
    turn.fail(FailureReason::OutOfStock);
}

fn is_consuming(turn: &Turn<'_>) -> bool {
    turn.before.started.contains(&StepName::Consume) && turn.before.stock != Stock::Consumed
}
