//! The closed loop: a fixed number of orders on their way, a new one for each that ends.

use crate::{
    fault::Fault,
    house::{Basket, House},
};
use oms_core::{
    id::order_id,
    oms::{PlaceRefusal, Placed, Placement},
};
use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most orders that are placed in one call.
const AT_ONCE: usize = 200;

/// Places the orders of these numbers, at most `window` on their way, and waits until all have ended. Places no more once `most`
/// has gone by; gives how many it placed.
///
/// # Errors
/// [`Fault::Measured`] when one is refused, [`Fault::Void`] when one was placed before.
pub async fn closed(
    house: &House,
    basket: Basket,
    numbers: Range<usize>,
    window: usize,
    most: Duration,
) -> Result<usize, Fault> {
    let start = Instant::now();
    let places = Arc::new(Semaphore::new(window));
    let mut next = numbers.start;
    while next < numbers.end && start.elapsed() < most {
        let room = take(&places, numbers.end - next).await?;
        let orders = house.basket(basket, next..next + room.len())?;
        next += room.len();
        let now = Instant::now();
        for (order, place) in orders.iter().zip(room) {
            house.line.start(name(order), now, Some(place));
        }
        accepted(house.oms.place_batch(orders).await)?;
    }
    let all = u32::try_from(window).unwrap_or(u32::MAX);
    drop(places.acquire_many(all).await.map_err(Fault::measured)?);
    Ok(next - numbers.start)
}

/// Waits for a place, and takes as many more as are free.
async fn take(places: &Arc<Semaphore>, wanted: usize) -> Result<Vec<OwnedSemaphorePermit>, Fault> {
    let first = Arc::clone(places).acquire_owned().await.map_err(Fault::measured)?;
    let mut room = vec![first];
    while room.len() < wanted.min(AT_ONCE)
        && let Ok(place) = Arc::clone(places).try_acquire_owned()
    {
        room.push(place);
    }
    Ok(room)
}

/// The id that an order will have.
pub(super) fn name(order: &Placement) -> oms_core::id::Name {
    order_id(&order.principal, &order.idempotency_key).name()
}

/// Every order of a run must be accepted, for the first time.
pub(super) fn accepted(answers: Vec<Result<Placed, PlaceRefusal>>) -> Result<(), Fault> {
    for answer in answers {
        if answer.map_err(Fault::measured)?.known {
            return Err(Fault::void("an order was placed before"));
        }
    }
    Ok(())
}
