//! The suite that every store must pass, over a server of its own.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use oms_core::{
    conformance::{
        VirtualClock, models,
        store::{Harness, Outcome, run},
    },
    projection::model::ReadModels,
    store::{Store, StoreError},
};
use oms_postgres::{Options, PostgresStore};
use oms_servers::{Kind, Server};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Stores in schemas of one server.
struct Schemas {
    server: Server,
    clock: VirtualClock,
    /// The schema of each store, by the store's address.
    names: Mutex<BTreeMap<usize, String>>,
    number: AtomicU32,
}

fn address<T: ?Sized>(store: &Arc<T>) -> usize {
    Arc::as_ptr(store).cast::<()>() as usize
}

impl Schemas {
    async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers");
        let start = move || Server::start(Kind::Postgres, &root, &mut |line| eprintln!("{line}"));
        let server = tokio::task::spawn_blocking(start).await.expect("its thread ends").expect("it starts");
        let (clock, names, number) = Default::default();
        Self { server, clock, names, number }
    }

    async fn open(&self, schema: &str) -> Result<PostgresStore, StoreError> {
        let options = Options::from_url(&self.server.url())?.schema(schema)?.connections(4);
        Ok(options.clock(Arc::new(self.clock.clone())).open().await?)
    }

    fn fresh(&self) -> String {
        format!("s{}", self.number.fetch_add(1, Ordering::Relaxed))
    }
}

#[async_trait]
impl Harness for Schemas {
    async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
        let schema = Schemas::fresh(self);
        let store: Arc<dyn Store> = Arc::new(self.open(&schema).await?);
        self.names.lock().expect("names").insert(address(&store), schema);
        Ok(store)
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
        let schema = self.names.lock().expect("names").get(&address(&store)).cloned().expect("opened here");
        // The old one is never closed: what it has open stays open, as after a kill that nobody noticed.
        let next: Arc<dyn Store> = Arc::new(self.open(&schema).await?);
        self.names.lock().expect("names").insert(address(&next), schema);
        Ok(next)
    }

    fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    fn pause(&self) -> BoxFuture<'static, ()> {
        tokio::time::sleep(Duration::from_millis(200)).boxed()
    }
}

#[async_trait]
impl models::Harness for Schemas {
    async fn fresh(&self) -> Result<Arc<dyn ReadModels>, StoreError> {
        let schema = Schemas::fresh(self);
        let store: Arc<dyn ReadModels> = Arc::new(self.open(&schema).await?);
        self.names.lock().expect("names").insert(address(&store), schema);
        Ok(store)
    }

    async fn reopen(&self, models: Arc<dyn ReadModels>) -> Result<Arc<dyn ReadModels>, StoreError> {
        let schema = self.names.lock().expect("names").get(&address(&models)).cloned().expect("opened here");
        let next: Arc<dyn ReadModels> = Arc::new(self.open(&schema).await?);
        self.names.lock().expect("names").insert(address(&next), schema);
        Ok(next)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_keeps_every_sentence_of_the_contract() {
    let reports = run(&Schemas::start().await).await;
    reports.iter().for_each(|report| println!("{report}"));
    let failed: Vec<String> =
        reports.iter().filter(|report| report.outcome != Outcome::Passed).map(ToString::to_string).collect();
    assert!(reports.len() > 30, "only {} checks ran", reports.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_keeps_read_models_by_every_sentence_of_their_contract() {
    let report = models::run(&Schemas::start().await).await;
    assert_eq!(report.failed().count(), 0, "{report}");
}
