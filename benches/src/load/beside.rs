//! Company: one long order is always on its way while the others are measured.

use super::closed::closed;
use crate::{
    fault::Fault,
    house::{Basket, House},
};
use futures::future::{Either, select};
use std::{pin::pin, time::Duration};

/// Runs `measured` beside one order of 500 lines after the other. Those are not counted, but the last one's way is gone to its end.
pub(super) async fn beside<T>(
    house: &House,
    measured: impl Future<Output = Result<T, Fault>>,
) -> Result<(T, u64), Fault> {
    let mut measured = pin!(measured);
    let mut number = 0;
    loop {
        let long = pin!(closed(house, Basket::Long, number..number + 1, 1, Duration::MAX));
        number += 1;
        match select(measured.as_mut(), long).await {
            Either::Left((done, long)) => {
                long.await?;
                return Ok((done?, number as u64));
            }
            Either::Right((ended, _)) => drop(ended?),
        }
    }
}
