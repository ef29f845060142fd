//! Orders on their way into a house, beside customers who decide about them.

use crate::{
    failure::Failure,
    house::House,
    order::{Orders, Plan},
};
use futures::{
    StreamExt as _, TryStreamExt as _,
    future::{Either, select},
    stream,
};
use oms_core::id::OrderId;
use std::{pin::pin, time::Duration};
use tokio::sync::mpsc;

/// How many orders are placed with one call.
pub(crate) const TOGETHER: u32 = 20;

/// Puts on the shelves what the orders of a round find there.
pub(crate) async fn open_books(orders: Orders, house: &House) -> Result<(), Failure> {
    let oms = house.ask().await?;
    let asked = orders.stock()?.into_iter().map(|change| oms.adjust_stock(change));
    let refused = |error| Failure::of("the opening stock is refused", error);
    stream::iter(asked).buffer_unordered(16).map_err(refused).try_for_each(|_| async { Ok(()) }).await
}

/// Goes on as long as the house moves, or until customers fail: those who wait for an order that never moves are left alone.
pub(crate) async fn with_customers<T>(
    moving: impl Future<Output = Result<T, Failure>>,
    customers: impl Future<Output = Result<(), Failure>>,
) -> Result<T, Failure> {
    match select(pin!(moving), pin!(customers)).await {
        Either::Left((moved, _)) => moved,
        Either::Right((Ok(()), moving)) => moving.await,
        Either::Right((Err(failure), _)) => Err(failure),
    }
}

/// Orders on their way in.
pub(crate) struct Coming<'a> {
    pub(crate) orders: Orders,
    pub(crate) tell: &'a mpsc::UnboundedSender<(OrderId, Plan)>,
    pub(crate) all: &'a mut Vec<OrderId>,
    pub(crate) placed: &'a mut dyn FnMut(u64),
}

impl Coming<'_> {
    /// Places the orders from `next` up to `end`. What is refused for now is tried again.
    pub(crate) async fn until(&mut self, house: &House, next: &mut u32, end: u32) -> Result<(), Failure> {
        while *next < end {
            let some: Vec<u32> = (*next..end.min(*next + TOGETHER)).collect();
            let placements =
                some.iter().map(|number| self.orders.placement(*number)).collect::<Result<Vec<_>, _>>()?;
            let answers = house.ask().await?.place_batch(placements).await;
            if answers.iter().any(Result::is_err) {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            for (number, placed) in some.into_iter().zip(answers.into_iter().flatten()) {
                let plan = self.orders.plan(number);
                self.all.push(placed.id.clone());
                if plan != Plan::Wait {
                    // Nobody listens any more only when customers have failed, which is told by them.
                    let _ = self.tell.send((placed.id, plan));
                }
                *next = number + 1;
            }
            (self.placed)(self.all.len() as u64);
        }
        Ok(())
    }
}
