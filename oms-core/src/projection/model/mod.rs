//! Read models that are kept: folded from the event log, saved with how far it was read, and built anew beside the live ones.
//!
//! A [`Model`] is a plain fold over the events of each subject. A [`Keeper`] reads the log on from the checkpoint of one
//! [`Generation`] and saves rows and cursors together, wherever a [`ReadModels`] keeps them.
//!
//! ```
//! use oms_core::{event::inventory::{StockAdjusted, StockEvent}, projection::Shelf};
//! use oms_core::projection::model::{Model, Shares, StockModel};
//! let mut shelf = Shelf::default();
//! let received = StockAdjusted { delta: 10, reference: "delivery-1".into(), reason: "received".to_owned() };
//! shelf.apply(&StockEvent::StockAdjusted(received));
//! let mut shares = Shares::default();
//! StockModel.share(&"85123A".into(), &shelf, &mut shares);
//! assert_eq!(shares.get("all", "on_hand"), 10);
//! ```

mod ask;
mod contract;
mod day;
mod fold;
mod hand;
mod hash;
mod house;
mod keeper;
mod key;
mod lanes;
mod library;
mod memory;
mod port;
mod shares;
mod subject;
#[cfg(test)]
mod tests;

pub use ask::{AskError, Listing, OrderQuery, has_read, list_orders, sums};
pub use contract::Model;
pub use day::{day, sortable};
pub use fold::{Fold, Projection};
pub use hash::generation_hash;
pub use house::{
    Funnel, FunnelModel, ListedOrder, MoneyModel, OrderModel, Placing, Purse, Saga, SagaModel, StockModel,
    by_customer, by_status, by_time, house_models, in_flight,
};
pub use keeper::{BATCH, Keeper, Progress};
pub use key::{STOPPED, SUBJECT, SUM, stopped as stopped_key, subject as subject_key, sum as sum_key};
pub use library::{Compared, Library, Listed, Rebuild};
pub use memory::MemoryModels;
pub use port::{By, Checkpoint, Generation, MARKS, Marks, ReadModels, Row, Save, Scan, Stage, Standing};
pub use shares::{Figures, Shares};
pub use subject::{Body, Heard, Subject};
