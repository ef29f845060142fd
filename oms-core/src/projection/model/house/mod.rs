//! The models that come with the house: orders, stock, money, sagas and the daily funnel.

mod funnel;
mod money;
mod orders;
mod sagas;
mod stock;

pub use funnel::{Funnel, FunnelModel};
pub use money::{MoneyModel, Purse};
pub use orders::{ListedOrder, OrderModel, Placing, by_customer, by_status, by_time};
pub use sagas::{Saga, SagaModel, in_flight};
pub use stock::StockModel;

use super::fold::{Fold, Projection};
use std::sync::Arc;

/// All of them.
///
/// ```
/// let names: Vec<_> = oms_core::projection::model::house_models().iter().map(|model| model.name()).collect();
/// assert_eq!(names, ["orders", "stock", "money", "sagas", "funnel"]);
/// ```
#[must_use]
pub fn house_models() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(Fold::of(OrderModel)),
        Arc::new(Fold::of(StockModel)),
        Arc::new(Fold::of(MoneyModel)),
        Arc::new(Fold::of(SagaModel)),
        Arc::new(Fold::of(FunnelModel)),
    ]
}
