//! The invariants about units: nothing is oversold, held twice, leaked, or shipped without being committed.

use super::held::Held;
use crate::{
    event::inventory::{InventoryEvent, StockLine},
    id::Sku,
    order::Phase,
    projection::{Facts, Parcel, Shelf, SkuFacts, Units},
};
use std::collections::BTreeMap;

/// Units of one SKU as the reservations of all orders have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// Held or committed.
    pub taken: i128,
    /// Gone for good.
    pub shipped: i128,
}

/// Adds the units of one order to what the reservations say of each SKU.
pub fn add_reserved(facts: &Facts, into: &mut BTreeMap<Sku, Reserved>) {
    let Some(lines) = facts.stock.iter().rev().find_map(reserved_lines) else { return };
    let units = facts.units();
    for line in lines {
        let entry = into.entry(line.sku.clone()).or_default();
        if units.shipped > 0 {
            entry.shipped += i128::from(line.quantity);
        } else if units.held + units.committed > 0 {
            entry.taken += i128::from(line.quantity);
        }
    }
}

/// 1, by SKU: at every event there are no fewer units than are taken, and never fewer than none.
pub(super) fn never_oversold(sku: &SkuFacts) -> Held {
    let mut shelf = Shelf::default();
    for (index, event) in sku.events.iter().enumerate() {
        shelf.apply(event);
        if shelf.taken > shelf.on_hand() || shelf.on_hand() < 0 || shelf.taken < 0 {
            let version = index + 1;
            return Err(format!(
                "{} on hand and {} taken after version {version}",
                shelf.on_hand(),
                shelf.taken
            ));
        }
    }
    Ok(())
}

/// 2: what is on hand is what came in without what the orders say has left.
pub(super) fn ledger_balances(sku: &SkuFacts, reserved: Reserved) -> Held {
    let shelf = sku.shelf();
    let wanted = shelf.adjusted - reserved.shipped;
    if shelf.on_hand() != wanted {
        return Err(format!("{} on hand, and by the orders there should be {wanted}", shelf.on_hand()));
    }
    Ok(())
}

/// 3: what is taken of a SKU is the sum over the reservations.
pub(super) fn counter_equals_reservations(sku: &SkuFacts, reserved: Reserved) -> Held {
    let taken = sku.shelf().taken;
    if taken != reserved.taken {
        return Err(format!("{taken} taken, and the reservations have {}", reserved.taken));
    }
    Ok(())
}

/// 1, by order: every unit that was dispatched had been committed.
pub(super) fn ships_only_committed(facts: &Facts) -> Held {
    let needs = facts.placed().is_some_and(|placed| placed.lines.iter().any(|line| line.stocked));
    let committed = facts.stock.iter().any(|event| matches!(event, InventoryEvent::StockCommitted(_)));
    if facts.parcel().has_left() && needs && !committed {
        return Err("the parcel has left without committed stock".to_owned());
    }
    Ok(())
}

/// 4: an order has one hold at most, and none after its release.
pub(super) fn one_hold(facts: &Facts) -> Held {
    let (mut holds, mut released) = (0, false);
    for event in &facts.stock {
        match event {
            InventoryEvent::StockReserved(_) if released => {
                return Err("stock was held after its release".to_owned());
            }
            InventoryEvent::StockReserved(_) => holds += 1,
            InventoryEvent::StockReleased(_) => released = true,
            InventoryEvent::StockRejected(_)
            | InventoryEvent::StockCommitted(_)
            | InventoryEvent::StockCommitRejected(_)
            | InventoryEvent::StockConsumed(_) => {}
        }
    }
    if holds > 1 { Err(format!("stock was held {holds} times")) } else { Ok(()) }
}

/// 9: an undone order holds no stock and has no parcel under way.
pub(super) fn nothing_leaks(facts: &Facts) -> Held {
    if facts.phase() == Phase::Completed {
        return Ok(());
    }
    let units = facts.units();
    if units.held + units.committed > 0 {
        return Err(format!("{} units are still taken; release them", units.held + units.committed));
    }
    if facts.parcel() != Parcel::None {
        return Err("its shipment is still alive; cancel it".to_owned());
    }
    Ok(())
}

/// 13: what has left was neither cancelled nor failed.
pub(super) fn cancelled_or_shipped(facts: &Facts) -> Held {
    let undone = matches!(facts.phase(), Phase::Cancelled | Phase::Failed);
    if undone && (facts.parcel().has_left() || facts.units().shipped > 0) {
        return Err("it was undone, and its parcel has left".to_owned());
    }
    Ok(())
}

/// 14: what is held is what the lines ask for, what moves is what is held, and a completed order has shipped it all.
pub(super) fn lines_add_up(facts: &Facts) -> Held {
    let Some(placed) = facts.placed() else { return Ok(()) };
    let wanted = placed.stock_lines();
    let due: u64 = wanted.iter().map(|line| u64::from(line.quantity)).sum();
    let mut units = Units::default();
    for event in &facts.stock {
        let before = units;
        units.apply(event);
        match event {
            InventoryEvent::StockReserved(reserved) if plain(&reserved.lines) != plain(&wanted) => {
                return Err("other lines are held than were ordered".to_owned());
            }
            InventoryEvent::StockCommitted(moved) => same("committed", moved.units, before.held)?,
            InventoryEvent::StockConsumed(moved) => same("consumed", moved.units, before.committed)?,
            InventoryEvent::StockReleased(moved) => {
                same("released", moved.units, before.held + before.committed)?;
            }
            InventoryEvent::StockReserved(_)
            | InventoryEvent::StockRejected(_)
            | InventoryEvent::StockCommitRejected(_) => {}
        }
    }
    if facts.phase() == Phase::Completed {
        same("shipped by a completed order", units.shipped, due)?;
    }
    Ok(())
}

fn plain(lines: &[StockLine]) -> Vec<(u16, &Sku, u32)> {
    lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect()
}

fn same(what: &str, units: u64, wanted: u64) -> Held {
    if units == wanted { Ok(()) } else { Err(format!("{units} units are {what}, and it should be {wanted}")) }
}

fn reserved_lines(event: &InventoryEvent) -> Option<&[StockLine]> {
    match event {
        InventoryEvent::StockReserved(reserved) => Some(&reserved.lines),
        _ => None,
    }
}
