//! One run: a house is built, warmed, loaded, brought to rest and checked.

use super::{Sample, beside::beside, closed::closed, open::open, outside::Outside};
use crate::{
    fault::Fault,
    house::{Basket, Deeds, House, Plan},
    meter::{Stopwatch, pressure},
};
use oms_core::store::Counts;
use oms_servers::Server;
use std::{ops::Range, time::Duration};

/// The longest a run may take.
const LIMIT: Duration = Duration::from_secs(600);

/// When orders come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// One for each that ends.
    #[default]
    Closed,
    /// So many in a second.
    PerSecond(f64),
}

/// What comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many orders are measured.
    pub orders: usize,
    /// How many are on their way at most.
    pub window: usize,
    /// How many come before the first that counts.
    pub warm: usize,
    /// The number of the first one of all: those before it were placed by another house of the same store.
    pub first: usize,
    /// What they are.
    pub basket: Basket,
    /// When they come.
    pub pace: Pace,
    /// How long new ones come at most, where one comes for each that ends.
    pub most: Duration,
    /// Whether an order of 500 lines is always on its way beside them.
    pub company: bool,
}

impl Default for Load {
    fn default() -> Self {
        let (basket, pace) = (Basket::default(), Pace::default());
        let most = Duration::from_secs(10);
        Self { orders: 1_000, window: 1_000, warm: 500, first: 0, basket, pace, most, company: false }
    }
}

/// Runs `work` on two workers of a runtime of its own, as a server with two cores does.
///
/// # Errors
/// Those of `work`; [`Fault::Stuck`] when it does not end.
pub fn with_runtime<T>(what: &str, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    with_time(what, LIMIT, work)
}

/// As [`with_runtime`], for work that may take longer.
///
/// # Errors
/// As [`with_runtime`].
pub fn with_time<T>(
    what: &str,
    limit: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Fault::measured)?;
    let stuck = |_| Fault::Stuck { what: what.to_owned(), limit };
    runtime.block_on(async { tokio::time::timeout(limit, work).await.map_err(stuck)? })
}

/// Runs `load` through a new house.
///
/// # Errors
/// [`Fault`], by what failed; [`Fault::Void`] when not every order was completed and told about as it must.
pub fn run(plan: &Plan, load: &Load) -> Result<Sample, Fault> {
    run_over(plan, load, None)
}

/// As [`run`], with what the store's server did for it.
///
/// # Errors
/// As [`run`].
pub fn run_over(plan: &Plan, load: &Load, server: Option<&Server>) -> Result<Sample, Fault> {
    with_runtime("a run", async {
        let house = House::open(plan).await?;
        house.stock().await?;
        let warmed =
            closed(&house, load.basket, load.first..load.first + load.warm, load.window, load.most).await?;
        let before = house.rest(0).await?;
        let outside = match server {
            Some(server) => Some((Outside::of(server).await?, server)),
            None => None,
        };
        let sample = measure(&house, load, (load.first + warmed, before)).await?;
        let sample = match outside {
            Some((outside, server)) => outside.until_now(server, sample).await?,
            None => sample,
        };
        house.close().await;
        Ok(sample)
    })
}

async fn measure(house: &House, load: &Load, (next, before): (usize, Counts)) -> Result<Sample, Fault> {
    let (ended, _) = house.line.ended();
    let _ = house.line.take_seconds();
    let (bytes, duplicates) = (house.line.bytes(), house.oms.metrics().duplicates);
    let watch = Stopwatch::start();
    let come = async {
        let numbers = next..next + load.orders;
        let came = match load.pace {
            Pace::Closed => closed(house, load.basket, numbers, load.window, load.most).await?,
            Pace::PerSecond(per_second) => open(house, load.basket, numbers, per_second).await?,
        };
        Ok((came as u64, watch.read()))
    };
    let ((orders, loaded), company) =
        if load.company { beside(house, come).await? } else { (come.await?, 0) };
    let after = house.rest(0).await?;
    // The company's own way to its end is not the others' time.
    let times = if load.company { loaded } else { watch.read() };
    check(house, &after, ended + orders + company)?;
    Ok(Sample {
        orders,
        times,
        rows: after.rows_written - before.rows_written,
        commits: after.commits - before.commits,
        bytes: house.line.bytes() - bytes,
        seconds: house.line.take_seconds(),
        duplicates: house.oms.metrics().duplicates - duplicates,
        server: None,
        wal: 0,
        pressure: pressure(),
    })
}

/// Places the orders of these numbers, at most `window` on their way, and waits until all have ended.
///
/// # Errors
/// [`Fault::Measured`] when one is refused, [`Fault::Void`] when one was placed before.
pub async fn place(house: &House, basket: Basket, numbers: Range<usize>, window: usize) -> Result<(), Fault> {
    closed(house, basket, numbers, window, Duration::MAX).await.map(drop)
}

/// Has a house take the orders of these numbers off full shelves, rest, and end.
///
/// # Errors
/// As [`place`].
pub async fn fill(plan: &Plan, basket: Basket, numbers: Range<usize>, window: usize) -> Result<(), Fault> {
    let house = House::open(plan).await?;
    house.stock().await?;
    place(&house, basket, numbers, window).await?;
    house.rest(0).await?;
    house.close().await;
    Ok(())
}

/// Figures of a house that lost or repeated something would be worth nothing.
fn check(house: &House, counts: &Counts, wanted: u64) -> Result<(), Fault> {
    let flaw = flaw(wanted, house.line.ended(), counts.parked + counts.buried, house.world.deeds());
    flaw.map_or(Ok(()), |flaw| Err(Fault::void(flaw)))
}

/// What is wrong with a run of `wanted` orders.
fn flaw(wanted: u64, (ended, failed): (u64, u64), aside: u64, deeds: Deeds) -> Option<String> {
    if (ended, failed) != (wanted, 0) {
        return Some(format!("of {wanted} orders {ended} ended, {failed} of them not as completed"));
    }
    if aside > 0 {
        return Some(format!("{aside} messages were put aside"));
    }
    let once = Deeds { authorised: wanted, captured: wanted, booked: wanted, mailed: 3 * wanted };
    (deeds != once).then(|| format!("the world was told {deeds:?} of {wanted} orders"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Deeds = Deeds { authorised: 2, captured: 2, booked: 2, mailed: 6 };

    #[test]
    fn a_run_that_did_everything_once_has_no_flaw() {
        assert_eq!(flaw(2, (2, 0), 0, TWO), None);
    }

    #[test]
    fn a_run_is_void_when_an_order_was_lost_failed_or_put_aside() {
        assert!(flaw(2, (1, 0), 0, TWO).is_some());
        assert!(flaw(2, (2, 1), 0, TWO).is_some());
        assert!(flaw(2, (2, 0), 1, TWO).is_some());
    }

    #[test]
    fn a_run_is_void_when_the_world_was_told_anything_twice() {
        for told in [
            Deeds { authorised: 3, ..TWO },
            Deeds { captured: 3, ..TWO },
            Deeds { booked: 3, ..TWO },
            Deeds { mailed: 7, ..TWO },
        ] {
            assert!(flaw(2, (2, 0), 0, told).is_some(), "{told:?}");
        }
    }
}
