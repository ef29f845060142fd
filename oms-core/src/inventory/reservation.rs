//! The reservation of one order: all of its lines, or none.

use crate::{
    event::Fields,
    event::inventory::{
        InventoryCommand, InventoryEvent, ReserveStock, Shortage, StockLine, StockMoved, StockRejected,
        StockReserved,
    },
    id::{OrderId, Sku},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a reservation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nobody asked yet.
    #[default]
    Absent,
    /// All lines are held.
    Held,
    /// All lines are held for good.
    Committed,
    /// The units have left the house.
    Consumed,
    /// Given back; without lines it is a tombstone.
    Released,
    /// There was not enough.
    Rejected,
}

/// The state of a reservation; its lines are fixed once it is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    phase: Phase,
    #[serde(skip)]
    lines: Vec<StockLine>,
    count: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shortages: Vec<Shortage>,
}

/// How the units of a reservation's SKUs move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// From available to taken.
    Take,
    /// From taken to available.
    Return,
    /// From taken out of the house.
    Consume,
}

/// What a command does to a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What the order is answered.
    pub answer: InventoryEvent,
    /// Whether the answer is new, and so recorded; a repeated command is only answered again.
    pub recorded: bool,
    /// What moves, by SKU.
    pub moved: Option<(Move, BTreeMap<Sku, u64>)>,
}

/// The command makes no sense for this reservation, now or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Units left the house that nobody had reserved.
    #[error("nothing is reserved that could be consumed; count the stock and adjust it")]
    NothingReserved,
    /// The units have left the house already.
    #[error("the units have left the house; book a return instead of a release")]
    AlreadyConsumed,
    /// The command is about a SKU.
    #[error("an adjustment is about a SKU, not about a reservation")]
    NotAReservation,
}

/// Sums lines by SKU: one SKU may be on several lines.
#[must_use]
pub fn demand(lines: &[StockLine]) -> BTreeMap<Sku, u64> {
    let mut sum = BTreeMap::<Sku, u64>::new();
    for line in lines {
        let units = sum.entry(line.sku.clone()).or_default();
        *units = units.saturating_add(u64::from(line.quantity));
    }
    sum
}

impl Reservation {
    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What is or was held.
    #[must_use]
    pub fn lines(&self) -> &[StockLine] {
        &self.lines
    }

    /// Gives back the lines that are stored apart from the state.
    pub fn restore(&mut self, lines: Vec<StockLine>) {
        self.lines = lines;
    }

    /// Whether all lines that were once held are here again.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lines.len() == self.count
    }

    /// The units held for this order now, by SKU.
    #[must_use]
    pub fn live(&self) -> BTreeMap<Sku, u64> {
        match self.phase {
            Phase::Held | Phase::Committed => demand(&self.lines),
            Phase::Absent | Phase::Consumed | Phase::Released | Phase::Rejected => BTreeMap::new(),
        }
    }

    /// Decides about a command. `available` tells what can be had of a SKU, `None` when the SKU is unknown.
    ///
    /// # Errors
    /// [`Refusal`] when the command contradicts what has happened; nothing changes.
    pub fn decide(
        &self,
        command: &InventoryCommand,
        available: impl Fn(&Sku) -> Option<i64>,
    ) -> Result<Decision, Refusal> {
        match command {
            InventoryCommand::ReserveStock(wish) => Ok(self.reserve(wish, available)),
            InventoryCommand::CommitStock(of) => Ok(self.commit(&of.order, &of.fields)),
            InventoryCommand::ReleaseStock(of) => self.release(&of.order, &of.fields),
            InventoryCommand::ConsumeStock(of) => self.consume(&of.order, &of.fields),
            InventoryCommand::AdjustStock(_) => Err(Refusal::NotAReservation),
        }
    }

    fn reserve(&self, wish: &ReserveStock, available: impl Fn(&Sku) -> Option<i64>) -> Decision {
        match self.phase {
            Phase::Absent => take(wish, available),
            Phase::Held | Phase::Committed | Phase::Consumed => again(held(wish, self.lines.clone())),
            // A released one has no shortages: undone, before or after its do.
            Phase::Released | Phase::Rejected => again(rejected(wish, self.shortages.clone())),
        }
    }

    fn commit(&self, order: &OrderId, fields: &Fields) -> Decision {
        let answer = InventoryEvent::StockCommitted(self.moved(order, fields));
        match self.phase {
            Phase::Held => Decision { answer, recorded: true, moved: None },
            Phase::Committed | Phase::Consumed => again(answer),
            Phase::Absent | Phase::Released | Phase::Rejected => {
                let (order, fields) = (order.clone(), fields.clone());
                again(InventoryEvent::StockCommitRejected(StockMoved { order, units: 0, fields }))
            }
        }
    }

    fn release(&self, order: &OrderId, fields: &Fields) -> Result<Decision, Refusal> {
        let answer = InventoryEvent::StockReleased(self.moved(order, fields));
        match self.phase {
            Phase::Absent => Ok(Decision { answer, recorded: true, moved: None }),
            Phase::Held | Phase::Committed => {
                let moved = Some((Move::Return, demand(&self.lines)));
                Ok(Decision { answer, recorded: true, moved })
            }
            Phase::Released | Phase::Rejected => Ok(again(answer)),
            Phase::Consumed => Err(Refusal::AlreadyConsumed),
        }
    }

    fn consume(&self, order: &OrderId, fields: &Fields) -> Result<Decision, Refusal> {
        let answer = InventoryEvent::StockConsumed(self.moved(order, fields));
        match self.phase {
            // Units that left are gone, committed or not.
            Phase::Held | Phase::Committed => {
                let moved = Some((Move::Consume, demand(&self.lines)));
                Ok(Decision { answer, recorded: true, moved })
            }
            Phase::Consumed => Ok(again(answer)),
            Phase::Absent | Phase::Released | Phase::Rejected => Err(Refusal::NothingReserved),
        }
    }

    fn moved(&self, order: &OrderId, fields: &Fields) -> StockMoved {
        let units = demand(&self.lines).values().sum();
        StockMoved { order: order.clone(), units, fields: fields.clone() }
    }

    /// Applies one recorded event.
    pub fn evolve(&mut self, event: &InventoryEvent) {
        match event {
            InventoryEvent::StockReserved(reserved) => {
                self.phase = Phase::Held;
                self.lines.clone_from(&reserved.lines);
                self.count = reserved.lines.len();
            }
            InventoryEvent::StockRejected(rejected) => {
                self.phase = Phase::Rejected;
                self.shortages.clone_from(&rejected.shortages);
            }
            InventoryEvent::StockCommitted(_) => self.phase = Phase::Committed,
            InventoryEvent::StockReleased(_) => self.phase = Phase::Released,
            InventoryEvent::StockConsumed(_) => self.phase = Phase::Consumed,
            // It only answers; nothing was there to change.
            InventoryEvent::StockCommitRejected(_) => {}
        }
    }
}

fn take(wish: &ReserveStock, available: impl Fn(&Sku) -> Option<i64>) -> Decision {
    let wanted = demand(&wish.lines);
    let short = |(sku, wanted): (&Sku, &u64)| {
        let there = available(sku);
        let units = u64::try_from(there.unwrap_or(0)).unwrap_or(0);
        let shortage =
            Shortage { sku: sku.clone(), wanted: *wanted, available: units, known: there.is_some() };
        (there.is_none() || units < *wanted).then_some(shortage)
    };
    let shortages: Vec<Shortage> = wanted.iter().filter_map(short).collect();
    if !shortages.is_empty() {
        return Decision { answer: rejected(wish, shortages), recorded: true, moved: None };
    }
    let moved = Some((Move::Take, wanted));
    Decision { answer: held(wish, wish.lines.clone()), recorded: true, moved }
}

fn held(wish: &ReserveStock, lines: Vec<StockLine>) -> InventoryEvent {
    let (order, fields) = (wish.order.clone(), wish.fields.clone());
    InventoryEvent::StockReserved(StockReserved { order, lines, fields })
}

fn rejected(wish: &ReserveStock, shortages: Vec<Shortage>) -> InventoryEvent {
    let (order, fields) = (wish.order.clone(), wish.fields.clone());
    InventoryEvent::StockRejected(StockRejected { order, shortages, fields })
}

fn again(answer: InventoryEvent) -> Decision {
    Decision { answer, recorded: false, moved: None }
}
