//! Building a house, running it, and waiting until it is at rest.

use super::{Basket, Carrier, ENDED, FinishLine, Notifier, Provider, Repeating, Watched, World, deliveries};
use crate::fault::Fault;
use futures::future::try_join_all;
use oms_broker::{RandomIds, SystemClock};
use oms_core::{
    broker::Broker,
    message::Limit,
    oms::Oms,
    payment::Method,
    store::{Counts, MemoryStore, Store},
    worker::Options,
};
use oms_servers::{Kind, Server};
use oms_sqlite::Synchronous;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Where a house keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// In this process.
    Memory,
    /// In a new SQLite file, which goes with the house.
    Sqlite(Synchronous),
    /// In this SQLite file, which stays.
    File(PathBuf, Synchronous),
    /// In this PostgreSQL database, which stays as long as the server: in the schema that the URL names, else in one of its own.
    Postgres(String),
}

impl Keep {
    /// The store's name.
    #[must_use]
    pub fn store(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) | Self::File(..) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// What a commit waits for: the class, and its name.
    #[must_use]
    pub fn durability(&self) -> &'static str {
        match self {
            Self::Memory => "D0 memory",
            Self::Sqlite(Synchronous::Normal) | Self::File(_, Synchronous::Normal) => {
                "D1 page cache (NORMAL)"
            }
            Self::Sqlite(Synchronous::Full) | Self::File(_, Synchronous::Full) => "D2 disk (FULL)",
            Self::Postgres(url) if url.contains("commit_delay") => "D2 disk (fsync, 5 ms late)",
            Self::Postgres(_) => "D2 disk (fsync)",
        }
    }
}

/// How messages are brought in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// As the house does it: batches of one lane in a turn, turns of several lanes in a transaction.
    #[default]
    Batched,
    /// The same, but each message is published by itself.
    Unpacked,
    /// As somebody writes it first: each message a turn and a transaction of its own, settled alone.
    Naive,
}

/// Over which broker messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// The one in this process.
    #[default]
    Memory,
    /// A server, by its name and URL; each house has topics of its own there.
    Server {
        /// The broker's name.
        name: &'static str,
        /// Where it is.
        url: String,
    },
}

impl Over {
    /// The broker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Server { name, .. } => name,
        }
    }

    /// Where the next house finds it, under a prefix that no house of this process had before.
    fn url(&self) -> String {
        static HOUSES: AtomicU64 = AtomicU64::new(0);
        match self {
            Self::Memory => "memory://".to_owned(),
            Self::Server { url, .. } => {
                format!("{url}?prefix=house{}-", HOUSES.fetch_add(1, Ordering::Relaxed))
            }
        }
    }
}

/// How often the broker repeats itself, in percent of the packs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carry {
    /// So many percent of all packs come twice.
    pub repeated: u64,
}

/// What a house is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it keeps what it knows.
    pub keep: Keep,
    /// How messages are brought in.
    pub way: Way,
    /// Over which broker they go.
    pub over: Over,
    /// What the broker does.
    pub carry: Carry,
    /// Lanes of each group.
    pub lanes: u16,
    /// The events at which an order counts as ended.
    pub ends: &'static [&'static str],
    /// Whether each order's time is kept.
    pub times: bool,
}

impl Plan {
    /// The house as it comes, over this store.
    #[must_use]
    pub fn over(keep: Keep) -> Self {
        let lanes = Options::default().lanes;
        Self {
            keep,
            way: Way::default(),
            over: Over::default(),
            carry: Carry::default(),
            lanes,
            ends: ENDED,
            times: true,
        }
    }

    fn options(&self) -> Options {
        let options = Options { lanes: self.lanes, ..Options::default() };
        match self.way {
            Way::Batched => options,
            Way::Unpacked => Options { pack: Limit { messages: 1, ..options.pack }, ..options },
            Way::Naive => Options {
                batch: Limit { messages: 1, ..options.batch },
                pack: Limit { messages: 1, ..options.pack },
                ..options
            },
        }
    }
}

/// A house that runs.
pub struct House {
    /// Places and asks.
    pub oms: Oms,
    /// The store under watch.
    pub store: Arc<Watched>,
    /// When orders end.
    pub line: Arc<FinishLine>,
    /// What the outside world was told.
    pub world: Arc<World>,
    way: Way,
    loops: JoinSet<()>,
    // Behind everything that may still write into it.
    _folder: Option<TempDir>,
}

impl House {
    /// Builds a house on tasks of this runtime.
    ///
    /// # Errors
    /// [`Fault`], by what failed.
    pub async fn open(plan: &Plan) -> Result<Self, Fault> {
        let (store, folder) = open_store(&plan.keep).await?;
        let line = Arc::new(FinishLine::at(plan.ends, plan.times));
        let store = Arc::new(Watched::new(store, Arc::clone(&line)));
        let world = Arc::new(World::default());
        let broker = oms_broker::connect(&plan.over.url()).await.map_err(Fault::measured)?;
        let broker: Arc<dyn Broker> = match plan.carry.repeated {
            0 => broker,
            percent => Arc::new(Repeating::new(broker, percent)),
        };
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds::default()));
        let oms = Oms::builder(broker, Arc::<Watched>::clone(&store), clock, ids)
            .options(plan.options())
            .payment_method(Method::card(), Provider(Arc::clone(&world)))
            .payment_method(Method::upi(), Provider(Arc::clone(&world)))
            .carrier(Carrier(Arc::clone(&world)))
            .notifier(Notifier(Arc::clone(&world)))
            .build()
            .await
            .map_err(Fault::measured)?;
        let mut loops = JoinSet::new();
        for task in oms.tasks() {
            loops.spawn(task.future);
        }
        Ok(Self { oms, store, line, world, way: plan.way, loops, _folder: folder })
    }

    /// Fills every shelf; from then on the house keeps to its way.
    ///
    /// # Errors
    /// [`Fault::Measured`], or [`Fault::Void`] when a delivery is refused.
    pub async fn stock(&self) -> Result<(), Fault> {
        let changes = deliveries()?.into_iter().map(|change| self.oms.adjust_stock(change));
        let answers = try_join_all(changes).await.map_err(Fault::measured)?;
        match answers.into_iter().find(|answer| !answer.accepted) {
            Some(refused) => Err(Fault::void(refused.reason.unwrap_or_default())),
            None => {
                if self.way == Way::Naive {
                    self.store.commit_alone();
                }
                Ok(())
            }
        }
    }

    /// How much is waiting, and what commits have cost.
    ///
    /// # Errors
    /// [`Fault::Measured`].
    pub async fn counts(&self) -> Result<Counts, Fault> {
        self.store.count().await.map_err(Fault::measured)
    }

    /// Waits until nobody is owed anything and no gateway has anything left to say; those that wait for a customer keep
    /// their wish, and are not waited for.
    ///
    /// # Errors
    /// [`Fault::Measured`].
    pub async fn rest(&self, asked: u64) -> Result<Counts, Fault> {
        loop {
            let counts = self.counts().await?;
            if counts.owed == 0 && counts.effects <= asked {
                return Ok(counts);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The orders of these numbers, ready to be placed.
    ///
    /// # Errors
    /// [`Fault::Measured`] when core takes no such orders.
    pub fn basket(
        &self,
        basket: Basket,
        numbers: std::ops::Range<usize>,
    ) -> Result<Vec<oms_core::oms::Placement>, Fault> {
        let placement = |number| {
            let (principal, idempotency_key) = (format!("{basket:?}"), format!("{number}"));
            Ok(oms_core::oms::Placement { order: basket.order(number)?, principal, idempotency_key })
        };
        numbers.map(placement).collect()
    }

    /// Finishes what is begun, and ends.
    pub async fn close(mut self) {
        self.oms.drain();
        while self.loops.join_next().await.is_some() {}
    }
}

/// Starts a PostgreSQL that ends with this process; installs it first where it is missing.
///
/// # Errors
/// [`Fault::Measured`].
pub fn postgres(root: &Path) -> Result<Server, Fault> {
    let started = Server::start(Kind::Postgres, root, &mut |line| eprintln!("{line}"));
    started.map_err(Fault::measured)
}

/// The URL with a schema in it.
#[must_use]
pub fn in_schema(url: &str, schema: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}schema={schema}")
}

/// How many houses have had a schema.
static HOUSES: AtomicU64 = AtomicU64::new(0);

/// Opens, or makes, what a house keeps.
///
/// # Errors
/// [`Fault::Measured`].
pub async fn open_store(keep: &Keep) -> Result<(Arc<dyn Store>, Option<TempDir>), Fault> {
    let sqlite = |path: PathBuf, synchronous| {
        let options = oms_sqlite::Options::new(path).synchronous(synchronous);
        options.open().map(|store| Arc::new(store) as Arc<dyn Store>).map_err(Fault::measured)
    };
    match keep {
        Keep::Memory => Ok((Arc::new(MemoryStore::new(Arc::new(SystemClock))), None)),
        Keep::File(path, synchronous) => Ok((sqlite(path.clone(), *synchronous)?, None)),
        Keep::Sqlite(synchronous) => {
            let folder = TempDir::new().map_err(|error| Fault::place(std::env::temp_dir(), error))?;
            Ok((sqlite(folder.path().join("orders.db"), *synchronous)?, Some(folder)))
        }
        Keep::Postgres(url) if url.contains("schema=") => {
            Ok((Arc::new(oms_postgres::open(url).await.map_err(Fault::measured)?), None))
        }
        Keep::Postgres(url) => {
            let schema = format!("house_{}", HOUSES.fetch_add(1, Ordering::Relaxed));
            let store = oms_postgres::open(&in_schema(url, &schema)).await.map_err(Fault::measured)?;
            Ok((Arc::new(store), None))
        }
    }
}
