//! The open loop: orders come when they are meant to, whether or not those before them have ended.

use super::closed::{accepted, name};
use crate::{
    fault::Fault,
    house::{Basket, House},
};
use std::{
    ops::Range,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, mpsc};

/// The shortest sleep of the pacer; what is due by then comes together.
const TICK: Duration = Duration::from_micros(200);

/// Places `per_second` orders each second and waits until all have ended. Each order's time counts from the moment it was meant
/// to come: one that had to wait for its turn has waited.
pub(super) async fn open(
    house: &House,
    basket: Basket,
    numbers: Range<usize>,
    per_second: f64,
) -> Result<usize, Fault> {
    let (start, first, count) = (Instant::now(), numbers.start, numbers.len());
    let meant = move |number: usize| start + Duration::from_secs_f64((number - first) as f64 / per_second);
    let places = Arc::new(Semaphore::new(count));
    let all = u32::try_from(count).map_err(Fault::measured)?;
    let mut due = pace(numbers, meant);
    while let Some(mut ready) = due.recv().await {
        while let Ok(more) = due.try_recv() {
            ready.end = more.end;
        }
        let orders = house.basket(basket, ready.clone())?;
        for (number, order) in ready.zip(&orders) {
            let place = Arc::clone(&places).acquire_owned().await.map_err(Fault::measured)?;
            house.line.start(name(order), meant(number), Some(place));
        }
        accepted(house.oms.place_batch(orders).await)?;
    }
    drop(places.acquire_many(all).await.map_err(Fault::measured)?);
    Ok(count)
}

/// Says which orders are due, from a thread of its own: the runtime's timer is too coarse, and stops while its workers work.
fn pace(
    numbers: Range<usize>,
    meant: impl Fn(usize) -> Instant + Send + 'static,
) -> mpsc::UnboundedReceiver<Range<usize>> {
    let (sender, due) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let Range { start: mut next, end: last } = numbers;
        while next < last {
            let now = Instant::now();
            let end = (next..last).find(|number| meant(*number) > now).unwrap_or(last);
            if end > next && sender.send(next..end).is_err() {
                return;
            }
            next = end;
            if next < last {
                thread::sleep(meant(next).saturating_duration_since(Instant::now()).max(TICK));
            }
        }
    });
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_order_comes_once_in_order_and_not_before_it_is_meant_to() {
        let start = Instant::now();
        let meant = move |number: usize| start + Duration::from_millis(number as u64);
        let (mut due, mut next) = (pace(0..30, meant), 0);
        while let Some(ready) = due.recv().await {
            assert_eq!(ready.start, next);
            assert!(meant(ready.end - 1) <= Instant::now());
            next = ready.end;
        }
        assert_eq!(next, 30);
    }
}
