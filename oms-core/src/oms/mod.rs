//! The one value that a user builds, places orders with, asks and runs.
//!
//! Orders move while the loops are driven; here on the stage of `conformance`, whose clock jumps when all wait:
//!
//! ```
//! # #[cfg(not(feature = "conformance"))]
//! # fn main() {}
//! # #[cfg(feature = "conformance")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use oms_core::{
//!     broker::MemoryBroker, clock::Clock, conformance::Stage, event::{inventory::AdjustStock, public::Status},
//!     id::{IdSource, Sku}, oms::Oms, order::NewOrder, store::MemoryStore,
//! };
//! use std::{sync::Arc, time::Duration};
//! # struct One;
//! # impl IdSource for One { fn next(&self) -> u128 { 1 } }
//!
//! let stage = Stage::default();
//! let clock: Arc<dyn Clock> = Arc::new(stage.clock());
//! let order: NewOrder = serde_json::from_str(ORDER)?;
//! # const ORDER: &str = r#"{
//! #     "customer": "12347", "currency": "GBP",
//! #     "lines": [{"sku": "85123A", "name": "holder", "quantity": 3, "stocked": true,
//! #         "unit_price": {"minor": 255, "currency": "GBP"}}],
//! #     "address": {"country": "Iceland"}, "payment": {"method": "card"}
//! # }"#;
//! stage.run(async {
//!     let store = Arc::new(MemoryStore::new(clock.clone()));
//!     let oms = Oms::builder(Arc::new(MemoryBroker::default()), store, clock, Arc::new(One)).build().await?;
//!     let (stop, stopped) = futures::channel::oneshot::channel::<()>();
//!     let house = oms.clone().run(async { stopped.await.unwrap_or(()) }, Duration::from_secs(5));
//!     let shopping = async {
//!         let (sku, reason) = (Sku::new("85123A")?, "received".to_owned());
//!         oms.adjust_stock(AdjustStock { sku, delta: 10, reference: "delivery-1".into(), reason }).await?;
//!         let placed = oms.place(order, "shop", "basket-1").await?;
//!         let settled = oms.wait_until_settled(&placed.id).await?;
//!         assert_eq!(settled.status, Status::Completed);
//!         drop(stop);
//!         Ok::<(), Box<dyn std::error::Error>>(())
//!     };
//!     let (drained, shopped) = futures::join!(house, shopping);
//!     assert!(drained.finished);
//!     shopped
//! })?
//! # }
//! ```

mod ask;
mod builder;
mod change;
mod drive;
mod letter;
mod model;
mod run;
mod system;

pub use crate::{
    service::{order::CancelReply, shipping::Released},
    worker::{Edit, EditError, Edited, Health, Outage, Standing},
};
pub use ask::{OrderPage, StockPage};
pub use builder::{BuildError, Builder};
pub use change::{Adjusted, PlaceRefusal, Placed, Placement};
pub use letter::LetterPage;
pub use run::Drained;
pub use system::Oms;
