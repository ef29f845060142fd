//! One point of the memory workload, measured in a process of its own: no other run has filled its heap.

use crate::{
    fault::Fault,
    house::{Basket, House, Keep, Plan, WAITING},
    load::{place, with_time},
    meter::memory,
    progress::Progress,
};
use oms_sqlite::Synchronous;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// The longest a point may take.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Orders on their way at a time.
const WINDOW: usize = 1_000;
/// Orders between two looks at the progress.
const STEP: usize = 5_000;

/// What the orders do in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Waiting {
    /// Wait for somebody who releases their dispatch.
    Held,
    /// Wait for their customer to approve a charge.
    Upi,
    /// Nothing: they are completed.
    Completed,
}

impl Waiting {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Upi => "upi",
            Self::Completed => "completed",
        }
    }

    fn basket(self) -> Basket {
        match self {
            Self::Held => Basket::Held,
            Self::Upi => Basket::Upi,
            Self::Completed => Basket::Plain,
        }
    }
}

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Point {
    /// The file, which must not exist
    #[arg(long)]
    pub file: PathBuf,
    /// What the orders do in the end
    #[arg(long)]
    pub waiting: Waiting,
    /// Orders that are completed first, so that every cache is full
    #[arg(long)]
    pub warm: usize,
    /// Orders that are measured
    #[arg(long)]
    pub orders: usize,
}

impl Point {
    /// The command line that measures it.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let file = self.file.to_string_lossy().into_owned();
        let (warm, orders) = (self.warm.to_string(), self.orders.to_string());
        let waiting = self.waiting.name().to_owned();
        let flags = ["--file", "--waiting", "--warm", "--orders"].map(str::to_owned);
        let pairs = flags.into_iter().zip([file, waiting, warm, orders]);
        std::iter::once("point".to_owned()).chain(pairs.flat_map(|(flag, value)| [flag, value])).collect()
    }
}

/// Resident bytes before and after.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Before the orders that are measured.
    pub before: u64,
    /// Once they are where they stay.
    pub after: u64,
}

/// Measures this process.
///
/// # Errors
/// [`Fault`], by what failed; [`Fault::Void`] when the orders did not come to where they should wait.
pub fn measure(point: &Point) -> Result<Measured, Fault> {
    let keep = Keep::File(point.file.clone(), Synchronous::Full);
    let plan = Plan { ends: WAITING, times: false, ..Plan::over(keep) };
    with_time("a point of memory", LIMIT, async {
        let house = House::open(&plan).await?;
        house.stock().await?;
        let progress = Progress::new(point.waiting.name(), (point.warm + point.orders) as u64);
        bring(&house, Basket::Plain, point.warm, |done| progress.reach(done)).await?;
        let before = house.rest(0).await?;
        let measured = memory()?.resident;
        let warm = point.warm as u64;
        bring(&house, point.waiting.basket(), point.orders, |done| progress.reach(warm + done)).await?;
        let asked = if point.waiting == Waiting::Upi { point.orders as u64 } else { 0 };
        let counts = house.rest(asked).await?;
        if counts.effects - before.effects != asked {
            return Err(Fault::void(format!("{} wishes stand, not {asked}", counts.effects)));
        }
        let after = memory()?.resident;
        house.close().await;
        Ok(Measured { before: measured, after })
    })
}

async fn bring(house: &House, basket: Basket, orders: usize, done: impl Fn(u64)) -> Result<(), Fault> {
    // Warm orders and measured ones may be of one kind.
    let first = house.line.ended().0 as usize;
    for from in (first..first + orders).step_by(STEP) {
        let to = (from + STEP).min(first + orders);
        place(house, basket, from..to, WINDOW).await?;
        done((to - first) as u64);
    }
    Ok(())
}
