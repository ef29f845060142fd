//! One round: orders come in, blows fall, and everything must come to rest and hold.
//!
//! ```no_run
//! // Not run: it takes as long as a round does.
//! use oms_chaos::{blow::Blow, round::{Round, play}, server::{Forgetful, Server}};
//! use std::sync::Arc;
//! # async fn example() -> Result<(), oms_chaos::Failure> {
//! let servers: Vec<Arc<dyn Server>> = vec![Arc::new(Forgetful::default())];
//! let round = Round { seed: 1, orders: 500, blows: vec![Blow::Kill, Blow::Wipe], ..Round::default() };
//! let came_to = play(&round, &servers, |_| {}).await?;
//! assert!(came_to.violations.is_empty());
//! # Ok(())
//! # }
//! ```

use crate::{
    blow::Blow,
    check::{check, rests},
    coming::{Coming, TOGETHER, open_books, with_customers},
    customer::decide,
    failure::Failure,
    house::{House, Kept},
    order::{Orders, Plan},
    server::Server,
    world::World,
};
use oms_core::{id::OrderId, worker::Metrics};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How long the loops may take to finish what they have begun when a round is over.
const DRAIN: Duration = Duration::from_secs(10);
/// How long orders come in while a server is dead.
const DEAD: Duration = Duration::from_millis(200);
/// How long a server that is back may take until packs travel again, before the next blow falls all the same.
const BACK: Duration = Duration::from_secs(15);

/// What to do in a round; a blow is whatever befalls it.
#[derive(Clone, Debug)]
pub struct Round<B = Blow> {
    /// Which orders, and which providers.
    pub seed: u64,
    /// How many orders.
    pub orders: u32,
    /// What befalls the house while they come in.
    pub blows: Vec<B>,
    /// How long everything may take to come to rest after the last order.
    pub rest: Duration,
}

impl<B> Default for Round<B> {
    fn default() -> Self {
        Self { seed: 1, orders: 2_000, blows: Vec::new(), rest: Duration::from_secs(120) }
    }
}

impl<B> Round<B> {
    pub(crate) fn drawn(&self) -> Orders {
        Orders { seed: self.seed, count: self.orders }
    }

    /// Each blow with the number of orders that come before it: evenly, the last one when the last order has come, so that nothing
    /// that is sent later makes up for what is lost.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&B, u32)> {
        let (orders, shares) = (u64::from(self.orders), self.blows.len() as u64);
        let here = move |share: u64| u32::try_from(orders * share / shares).unwrap_or(u32::MAX);
        self.blows.iter().zip(1..).map(move |(blow, share)| (blow, here(share)))
    }
}

/// What a round came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CameTo {
    /// The seed.
    pub seed: u64,
    /// Orders placed.
    pub orders: u64,
    /// How they ended.
    pub by_status: BTreeMap<String, u64>,
    /// The blows, in order.
    pub blows: Vec<Blow>,
    /// Notices that went out.
    pub mails: u64,
    /// Packs that a broker confirmed.
    pub published: u64,
    /// Deliveries of what was not owed.
    pub duplicates: u64,
    /// Messages that were taken from the store, because no broker brought them.
    pub taken: u64,
    /// How often a loop found its broker or its store away.
    pub outages: u64,
    /// How long the round took.
    pub seconds: f64,
    /// What does not hold; nothing.
    pub violations: Vec<String>,
}

/// What a round works with.
struct Ground<'a> {
    house: &'a House,
    servers: &'a [Arc<dyn Server>],
    /// Which of the servers carries messages now.
    at: usize,
    counted: Metrics,
}

/// Plays a round over the first of the servers; a swap goes on to the next. `placed` is told how many orders came in.
///
/// # Errors
/// [`Failure`] when a server, or the round's own database, cannot be used: then nothing was shown.
pub async fn play(
    round: &Round,
    servers: &[Arc<dyn Server>],
    placed: impl FnMut(u64),
) -> Result<CameTo, Failure> {
    let began = Instant::now();
    let folder =
        tempfile::tempdir().map_err(|error| Failure::of("no folder for the round's database", error))?;
    let house = House::new(Kept::File(folder.path().join("orders.db")), World::new(round.seed));
    let mut ground = Ground { house: &house, servers, at: 0, counted: Metrics::default() };
    ground.begin().await?;
    open_books(round.drawn(), &house).await?;
    let (tell, told) = mpsc::unbounded_channel();
    let moving = async {
        let orders = ground.come(round, tell, placed).await?;
        let rested = rests(&house, &orders, Instant::now() + round.rest).await?;
        Ok::<_, Failure>((orders, rested))
    };
    let (orders, rested) = with_customers(moving, decide(&house, told)).await?;
    ground.counted = sum(ground.counted, house.drain(DRAIN).await);
    let verdict = check(&house, &orders, rested).await?;
    let Metrics { published, duplicates, taken, outages, .. } = ground.counted;
    Ok(CameTo {
        seed: round.seed,
        orders: orders.len() as u64,
        by_status: verdict.by_status,
        blows: round.blows.clone(),
        mails: verdict.mails,
        published,
        duplicates,
        taken,
        outages,
        seconds: began.elapsed().as_secs_f64(),
        violations: verdict.violations,
    })
}

fn sum(one: Metrics, other: Metrics) -> Metrics {
    Metrics {
        published: one.published + other.published,
        duplicates: one.duplicates + other.duplicates,
        taken: one.taken + other.taken,
        outages: one.outages + other.outages,
        ..other
    }
}

impl Ground<'_> {
    /// Has a process of the house begin over the server that carries messages now.
    async fn begin(&mut self) -> Result<(), Failure> {
        let broker = self.server().connect().await?;
        self.counted = sum(self.counted, self.house.begin(broker).await?);
        Ok(())
    }

    fn server(&self) -> Arc<dyn Server> {
        Arc::clone(&self.servers[self.at % self.servers.len()])
    }

    /// Has the orders come in, and the blows fall among them.
    async fn come(
        &mut self,
        round: &Round,
        tell: mpsc::UnboundedSender<(OrderId, Plan)>,
        mut placed: impl FnMut(u64),
    ) -> Result<Vec<OrderId>, Failure> {
        let mut all = Vec::new();
        let mut next = 0;
        let mut come = Coming { orders: round.drawn(), tell: &tell, all: &mut all, placed: &mut placed };
        for (blow, here) in round.shares() {
            come.until(self.house, &mut next, here).await?;
            self.fall(*blow, &mut come, &mut next, round.orders).await?;
        }
        come.until(self.house, &mut next, round.orders).await?;
        Ok(all)
    }

    async fn fall(
        &mut self,
        blow: Blow,
        come: &mut Coming<'_>,
        next: &mut u32,
        end: u32,
    ) -> Result<(), Failure> {
        if blow == Blow::Swap {
            self.at += 1;
            return self.begin().await;
        }
        let server = self.server();
        server.kill().await?;
        // Orders are accepted while no broker is there.
        let dead = Instant::now();
        come.until(self.house, next, (*next + TOGETHER).min(end)).await?;
        tokio::time::sleep(DEAD.saturating_sub(dead.elapsed())).await;
        if blow == Blow::Wipe {
            server.wipe().await?;
        }
        server.start().await?;
        self.travels().await
    }

    /// Waits until packs travel again.
    async fn travels(&self) -> Result<(), Failure> {
        let before = self.house.ask().await?.metrics().published;
        let until = Instant::now() + BACK;
        while self.house.ask().await?.metrics().published == before && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}
