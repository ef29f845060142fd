//! The house of a round, as this process sees it: alive over one database until it dies, and is followed by another life.

use crate::{failure::Failure, world::World};
use oms_broker::{RandomIds, SystemClock};
use oms_core::{
    broker::Broker,
    oms::Oms,
    store::Store,
    worker::{Metrics, Options, RetryPolicy},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{RwLock, RwLockReadGuard},
    task::JoinSet,
};

/// One life: from its start to its death.
struct Life {
    oms: Oms,
    loops: JoinSet<()>,
}

/// Where a house keeps its orders, and who works there.
pub(crate) enum Kept {
    /// In a file; this process does the work.
    File(PathBuf),
    /// On a server that others work at as well; this process only places and asks.
    Server(String),
}

impl Kept {
    fn lease(&self) -> Duration {
        match self {
            Self::File(_) => Duration::from_secs(5),
            Self::Server(_) => SHARED,
        }
    }
}

/// How long the lanes of a dead process wait for another, where there are others.
pub(crate) const SHARED: Duration = Duration::from_secs(2);

/// A database, and the process that has it now.
pub(crate) struct House {
    kept: Kept,
    world: World,
    life: RwLock<Option<Life>>,
}

/// The living house, for one call: no process dies under it, so that its answer is known.
pub(crate) struct Asked<'a>(RwLockReadGuard<'a, Oms>);

impl std::ops::Deref for Asked<'_> {
    type Target = Oms;

    fn deref(&self) -> &Oms {
        &self.0
    }
}

/// Shorter waits than the defaults, so that a round is over in seconds; nothing else differs.
pub(crate) fn options(lease: Duration) -> Options {
    let outage = RetryPolicy {
        attempts: u32::MAX,
        first: Duration::from_millis(20),
        longest: Duration::from_millis(500),
    };
    Options { overdue: Duration::from_millis(500), lease, outage, ..Options::default() }
}

impl House {
    pub(crate) fn new(kept: Kept, world: World) -> Self {
        Self { kept, world, life: RwLock::new(None) }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The system, to be asked.
    pub(crate) async fn ask(&self) -> Result<Asked<'_>, Failure> {
        let oms =
            RwLockReadGuard::try_map(self.life.read().await, |life| life.as_ref().map(|life| &life.oms));
        oms.map(Asked).map_err(|_| Failure::new("the house is dead: an earlier swap failed"))
    }

    /// Begins a life over a broker. One that lives is killed first: its loops end where they stand.
    pub(crate) async fn begin(&self, broker: Arc<dyn Broker>) -> Result<Metrics, Failure> {
        let mut life = self.life.write().await;
        let ended = match life.take() {
            Some(mut ended) => {
                ended.loops.shutdown().await;
                ended.oms.metrics()
            }
            None => Metrics::default(),
        };
        let store = self.store().await?;
        let builder = Oms::builder(broker, store, Arc::new(SystemClock), Arc::new(RandomIds::default()));
        let built = self.world.furnish(builder)?.options(options(self.kept.lease())).build().await;
        let oms = built.map_err(|error| Failure::of("the house of the round cannot be built", error))?;
        let mut loops = JoinSet::new();
        let tasks = if matches!(self.kept, Kept::File(_)) { oms.tasks() } else { Vec::new() };
        for task in tasks {
            loops.spawn(task.future);
        }
        *life = Some(Life { oms, loops });
        Ok(ended)
    }

    async fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        const WHAT: &str = "the round's database cannot be opened";
        Ok(match &self.kept {
            Kept::File(path) => Arc::new(oms_sqlite::open(path).map_err(|error| Failure::of(WHAT, error))?),
            Kept::Server(url) => {
                Arc::new(oms_postgres::open(url).await.map_err(|error| Failure::of(WHAT, error))?)
            }
        })
    }

    /// Lets the loops finish what they have begun, and gives what they have counted. The house can still be asked.
    pub(crate) async fn drain(&self, time: Duration) -> Metrics {
        let mut life = self.life.write().await;
        let Some(life) = life.as_mut() else { return Metrics::default() };
        life.oms.drain();
        let ended = async { while life.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(time, ended).await.is_err() {
            life.loops.shutdown().await;
        }
        life.oms.metrics()
    }
}
