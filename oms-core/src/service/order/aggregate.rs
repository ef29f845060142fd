//! An order as an aggregate of the store: its lines are fixed, and stored once.

use super::super::Aggregate;
use crate::{
    event::order::{OrderEvent, OrderPlaced},
    id::{read_json, write_json},
    order::Order,
};
use bytes::Bytes;
use std::sync::Arc;

impl Aggregate for Order {
    const SCHEMA: u16 = 1;
    type Event = OrderEvent;

    fn evolve(&mut self, event: &OrderEvent) {
        Order::evolve(self, event);
    }

    fn fixed(&self) -> Option<Bytes> {
        // A placed order of this library can always be written.
        self.placed().and_then(|placed| write_json(&**placed).ok())
    }

    fn restore(&mut self, fixed: &[u8]) -> Result<(), serde_json::Error> {
        let placed: OrderPlaced = read_json(fixed)?;
        Order::restore(self, Arc::new(placed));
        Ok(())
    }
}
