//! A busy day: orders of all methods, some refused, some cancelled, over a few SKUs.

use crate::{
    house::World,
    shop::{order, place, stock},
};
use oms_core::{
    id::OrderId,
    oms::Oms,
    order::{NewOrder, Phase},
};
use std::time::Duration;

/// What the day brings.
#[derive(Clone, Copy)]
pub(crate) struct Market {
    pub(crate) orders: u32,
    /// Units of the SKU that half of all orders want.
    pub(crate) hot: i64,
}

impl Market {
    /// Order `number`: every fifth is held, to be cancelled or released; half want the hot SKU.
    pub(crate) fn order(number: u32) -> NewOrder {
        let method = ["card", "upi", "cod"][number as usize % 3];
        let second = if number.is_multiple_of(2) { "HOT" } else { "B" };
        let mut order = order(method, &[("A", 1 + number % 4, 250), (second, 2, 999), ("POST", 1, 300)]);
        order.hold_dispatch = number.is_multiple_of(5);
        order
    }

    pub(crate) async fn open(self, oms: &Oms) -> Vec<OrderId> {
        for (name, units) in [("A", 1_000), ("B", 1_000), ("HOT", self.hot)] {
            stock(oms, name, units).await;
        }
        let mut orders = Vec::new();
        for number in 0..self.orders {
            orders.push(place(oms, Self::order(number), &number.to_string()).await);
        }
        orders
    }

    /// Cancels every second of the held orders, and releases the others, each once it is held; tried again it does no harm.
    pub(crate) async fn decide(world: &World, oms: &Oms, orders: &[OrderId]) {
        for (place, id) in orders.iter().enumerate().step_by(5) {
            loop {
                let summary = oms.order(id).await.expect("reads").expect("was placed");
                if summary.phase.is_terminal() || Self::is_decided(summary.phase) {
                    break;
                }
                let held = oms.facts(id).await.expect("reads").parcel() == oms_core::projection::Parcel::Held;
                if held && place % 2 == 0 {
                    oms.cancel(id, "c-1", "no more").await.expect("asked");
                } else if held {
                    oms.release_dispatch(id).await.expect("asked");
                }
                world.sleep(Duration::from_millis(100)).await;
            }
        }
    }

    fn is_decided(phase: Phase) -> bool {
        matches!(phase, Phase::Failing | Phase::CancelRequested | Phase::Cancelling | Phase::Fulfilling)
    }
}
