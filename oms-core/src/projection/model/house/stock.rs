//! Stock levels: what is on hand, taken and gone of each SKU.

use crate::{
    event::{Wire, WireError, inventory::StockEvent},
    id::Name,
    projection::{
        Shelf,
        model::{contract::Model, shares::Shares},
    },
    store::Recorded,
};

/// The model `stock`: a row for each SKU, and the sum `all`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StockModel;

impl Model for StockModel {
    type State = Shelf;
    const NAME: &'static str = "stock";
    const SHAPE: u32 = 1;
    const KINDS: &'static [&'static str] = &["stock"];
    const GROUPS: &'static [&'static str] = &["inventory"];

    fn apply(&self, _: &Name, shelf: &mut Shelf, recorded: &Recorded) -> Result<(), WireError> {
        let event = &recorded.event;
        shelf.apply(&StockEvent::decode(&event.kind, event.schema, &event.body)?);
        Ok(())
    }

    fn share(&self, _: &Name, shelf: &Shelf, shares: &mut Shares) {
        shares.add("all", "skus", 1);
        shares.add("all", "on_hand", shelf.on_hand());
        shares.add("all", "taken", shelf.taken);
        shares.add("all", "shipped", shelf.shipped);
    }
}
