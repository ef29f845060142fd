//! Reservations, and the stock of a SKU, as states of streams.

use crate::{
    event::inventory::{InventoryEvent, StockEvent, StockLine},
    id::read_json,
    inventory::{Reservation, Stock},
    service::Aggregate,
};
use bytes::Bytes;

impl Aggregate for Reservation {
    const SCHEMA: u16 = 1;
    type Event = InventoryEvent;

    fn evolve(&mut self, event: &InventoryEvent) {
        Reservation::evolve(self, event);
    }

    fn fixed(&self) -> Option<Bytes> {
        // Lines of this library can always be written.
        let lines = (!self.lines().is_empty()).then(|| serde_json::to_vec(self.lines()).ok()).flatten();
        lines.map(Bytes::from)
    }

    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        let lines: Vec<StockLine> = read_json(fixed)?;
        Reservation::restore(self, lines);
        Ok(())
    }
}

impl Aggregate for Stock {
    const SCHEMA: u16 = 1;
    type Event = StockEvent;

    fn evolve(&mut self, event: &StockEvent) {
        Stock::evolve(self, event);
    }
}
