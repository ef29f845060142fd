//! One round: orders come in while the database and the processes suffer, and everything must come to rest and hold.

use super::{
    crew::{Crew, Start},
    strike::Strike,
};
use crate::{
    args::Kind,
    check::{check, rests},
    coming::{Coming, TOGETHER, open_books, with_customers},
    customer::decide,
    failure::Failure,
    house::{House, Kept},
    order::Plan,
    outside::Providers,
    server::{Real, Server as _},
    world::World,
};
use oms_core::id::OrderId;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How many processes work at a time.
const PROCESSES: usize = 3;
/// How long orders come in while the database is dead.
const DEAD: Duration = Duration::from_millis(200);

/// What to do in a round; its seed names the schema too.
pub type Round = crate::round::Round<Strike>;

/// What a round came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CameTo {
    /// The seed.
    pub seed: u64,
    /// Orders placed.
    pub orders: u64,
    /// How they ended.
    pub by_status: BTreeMap<String, u64>,
    /// How often PostgreSQL was killed.
    pub kills: u32,
    /// How often a process was killed, by the moment at which it was.
    pub deaths: BTreeMap<&'static str, u32>,
    /// How often a process slept past its leases.
    pub sleeps: u32,
    /// Notices that went out.
    pub mails: u64,
    /// Rows of events whose chain was held against their hashes.
    pub audited: u64,
    /// How long the round took.
    pub seconds: f64,
    /// What does not hold; nothing.
    pub violations: Vec<String>,
}

/// The servers of a campaign, and the program that its processes run.
pub struct Ground {
    database: Real,
    broker: Real,
    program: PathBuf,
}

impl Ground {
    /// Starts PostgreSQL and a broker; installs them first where they are missing. `program` is this package's own.
    ///
    /// # Errors
    /// [`Failure`] when one cannot be started, or the broker has no server.
    pub async fn raise(broker: Kind, program: PathBuf) -> Result<Self, Failure> {
        let alone = || Failure::new("processes apart need a broker with a server: kafka, nats or rabbitmq");
        let broker = Real::raise(broker.server().ok_or_else(alone)?).await?;
        Ok(Self { database: Real::raise(oms_servers::Kind::Postgres).await?, broker, program })
    }

    /// The broker's name.
    #[must_use]
    pub fn broker(&self) -> &'static str {
        self.broker.name()
    }
}

/// A round that is played.
struct Played<'a> {
    ground: &'a Ground,
    house: &'a House,
    crew: Crew,
    providers: Arc<Providers>,
    came: CameTo,
}

/// Plays a round. `placed` is told how many orders came in.
///
/// # Errors
/// [`Failure`] when a server or a process cannot be used: then nothing was shown.
pub async fn play(round: &Round, ground: &Ground, placed: impl FnMut(u64)) -> Result<CameTo, Failure> {
    let began = Instant::now();
    let folder = tempfile::tempdir().map_err(|error| Failure::of("no folder for the round", error))?;
    let store = format!("{}?schema=round_{}", ground.database.url(), round.seed);
    let house = House::new(Kept::Server(store.clone()), World::new(round.seed));
    house.begin(ground.broker.connect().await?).await?;
    open_books(round.drawn(), &house).await?;
    let providers = Arc::new(Providers::of(house.world())?);
    let socket = folder.path().join("outside");
    let _serving = providers.serve(&socket)?;
    let broker = ground.broker.url().to_owned();
    let start = Start { program: ground.program.clone(), store: store.clone(), broker, socket };
    let crew = Crew::start(start, PROCESSES)?;
    let mut played = Played { ground, house: &house, crew, providers, came: CameTo::default() };
    let (tell, told) = mpsc::unbounded_channel();
    let moving = async {
        let all = played.come(round, tell, placed).await?;
        let rested = rests(&house, &all, Instant::now() + round.rest).await?;
        Ok::<_, Failure>((all, rested))
    };
    let (all, rested) = with_customers(moving, decide(&house, told)).await?;
    let deserters = played.crew.deserters()?;
    let mut came = played.came;
    drop(played.crew);
    let verdict = check(&house, &all, rested).await?;
    (came.seed, came.orders) = (round.seed, all.len() as u64);
    (came.by_status, came.mails, came.violations) = (verdict.by_status, verdict.mails, verdict.violations);
    came.violations.extend((deserters > 0).then(|| format!("{deserters} processes ended by themselves")));
    came.audited = audit(&store, &mut came.violations).await?;
    came.seconds = began.elapsed().as_secs_f64();
    Ok(came)
}

/// Holds every row of events against its hash.
async fn audit(store: &str, violations: &mut Vec<String>) -> Result<u64, Failure> {
    let unread = |error: Box<dyn std::error::Error + Send + Sync>| {
        Failure::of("the round's database cannot be audited", error)
    };
    let store = oms_postgres::open(store).await.map_err(|error| unread(error.into()))?;
    let audit = store.audit(&mut |_, _| {}).await.map_err(|error| unread(error.into()))?;
    violations.extend(audit.broken.iter().map(|broken| format!("{broken:?}")));
    Ok(audit.rows)
}

impl Played<'_> {
    /// Has the orders come in, and the strikes fall among them.
    async fn come(
        &mut self,
        round: &Round,
        tell: mpsc::UnboundedSender<(OrderId, Plan)>,
        mut placed: impl FnMut(u64),
    ) -> Result<Vec<OrderId>, Failure> {
        let (mut all, mut next) = (Vec::new(), 0);
        let mut come = Coming { orders: round.drawn(), tell: &tell, all: &mut all, placed: &mut placed };
        for (strike, here) in round.shares() {
            come.until(self.house, &mut next, here).await?;
            self.crew.wake()?;
            match strike {
                Strike::Kill => self.kill(&mut come, &mut next, round.orders).await?,
                Strike::Death(moment) => {
                    let moment = self.crew.die(*moment, &self.providers).await?;
                    *self.came.deaths.entry(moment.name()).or_default() += 1;
                }
                Strike::Sleep => {
                    self.crew.sleep()?;
                    self.came.sleeps += 1;
                }
            }
        }
        come.until(self.house, &mut next, round.orders).await?;
        self.crew.wake_all().await?;
        Ok(all)
    }

    /// Kills the database while orders are on their way in.
    async fn kill(&mut self, come: &mut Coming<'_>, next: &mut u32, end: u32) -> Result<(), Failure> {
        let database = &self.ground.database;
        let (house, upto) = (self.house, (*next + TOGETHER).min(end));
        let suffering = async {
            database.kill().await?;
            tokio::time::sleep(DEAD).await;
            database.start().await
        };
        let (killed, came) = futures::join!(suffering, come.until(house, next, upto));
        self.came.kills += 1;
        killed.and(came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_apart_need_a_broker_that_is_apart() {
        assert_eq!(Kind::Memory.server(), None);
        assert_eq!(Kind::Nats.server(), Some(oms_servers::Kind::Nats));
    }
}
