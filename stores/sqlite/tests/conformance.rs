//! The suite that every store must pass, over files of their own.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

use async_trait::async_trait;
use futures::{FutureExt, channel::oneshot, executor::block_on, future::BoxFuture};
use oms_core::{
    conformance::{
        VirtualClock, models,
        store::{Harness, Outcome, run},
    },
    projection::model::ReadModels,
    store::{Store, StoreError},
};
use oms_sqlite::{Options, Synchronous};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

struct Files {
    directory: TempDir,
    clock: VirtualClock,
    /// The file of each store, by the store's address.
    paths: Mutex<BTreeMap<usize, PathBuf>>,
    number: Mutex<u32>,
}

fn address(store: &Arc<dyn Store>) -> usize {
    Arc::as_ptr(store).cast::<()>() as usize
}

impl Files {
    fn new() -> Self {
        let (paths, number) = (Mutex::default(), Mutex::default());
        Self {
            directory: TempDir::new().expect("a directory"),
            clock: VirtualClock::default(),
            paths,
            number,
        }
    }

    fn open(&self, path: PathBuf) -> Result<Arc<dyn Store>, StoreError> {
        let options =
            Options::new(&path).clock(Arc::new(self.clock.clone())).synchronous(Synchronous::Normal);
        let store: Arc<dyn Store> = Arc::new(options.open()?);
        self.paths.lock().expect("paths").insert(address(&store), path);
        Ok(store)
    }
}

#[async_trait]
impl Harness for Files {
    async fn fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
        let mut number = self.number.lock().expect("number");
        *number += 1;
        self.open(self.directory.path().join(format!("{number}.db")))
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
        let path = self.paths.lock().expect("paths").get(&address(&store)).cloned().expect("opened here");
        // What a kill leaves behind is the file and its log as they are now; the old store never closes them.
        let next = path.with_extension("reopened.db");
        for ending in ["", "-wal"] {
            let named = |path: &PathBuf| PathBuf::from(format!("{}{ending}", path.display()));
            std::fs::copy(named(&path), named(&next)).expect("copied");
        }
        self.open(next)
    }

    fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    fn pause(&self) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            let _ = sender.send(());
        });
        receiver.map(drop).boxed()
    }
}

/// The same file, as a place for read models.
struct Shelves(Files, Mutex<Option<PathBuf>>);

#[async_trait]
impl models::Harness for Shelves {
    async fn fresh(&self) -> Result<Arc<dyn ReadModels>, StoreError> {
        let mut number = self.0.number.lock().expect("number");
        *number += 1;
        let path = self.0.directory.path().join(format!("{number}.db"));
        *self.1.lock().expect("path") = Some(path.clone());
        Ok(Arc::new(Options::new(&path).open()?))
    }

    async fn reopen(&self, models: Arc<dyn ReadModels>) -> Result<Arc<dyn ReadModels>, StoreError> {
        drop(models);
        let path = self.1.lock().expect("path").clone().expect("opened here");
        Ok(Arc::new(Options::new(path).open()?))
    }
}

#[test]
fn a_file_keeps_read_models_by_every_sentence_of_their_contract() {
    let report = block_on(models::run(&Shelves(Files::new(), Mutex::default())));
    assert_eq!(report.failed().count(), 0, "{report}");
}

#[test]
fn a_file_keeps_every_sentence_of_the_contract() {
    let files = Files::new();
    let reports = block_on(run(&files));
    let failed: Vec<String> =
        reports.iter().filter(|report| report.outcome != Outcome::Passed).map(ToString::to_string).collect();
    assert!(reports.len() > 30, "only {} checks ran", reports.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
