//! A reader: one thread with a connection of its own, which never waits for the writer.

use crate::rows::failed;
use futures::channel::oneshot;
use oms_core::store::StoreError;
use rusqlite::Connection;
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

type Look = Box<dyn FnOnce(&Connection) + Send>;

/// The reading thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the store was closed; open it again")]
struct Closed;

/// A way to the reader.
pub(crate) struct Reader {
    looks: Option<mpsc::Sender<Look>>,
    db: Arc<Mutex<Connection>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    pub(crate) fn start(name: &str, db: Connection) -> std::io::Result<Self> {
        let (looks, queue) = mpsc::channel::<Look>();
        let db = Arc::new(Mutex::new(db));
        let own = Arc::clone(&db);
        let serve = move || {
            queue.iter().for_each(|look| look(&own.lock().unwrap_or_else(PoisonError::into_inner)));
        };
        let thread = thread::Builder::new().name(name.into()).spawn(serve)?;
        Ok(Self { looks: Some(looks), db, thread: Some(thread) })
    }

    /// Reads like [`Reader::read`], at once and on the caller's thread when nobody else is reading. For what takes a few pages
    /// only: two changes of threads would cost more than the look.
    pub(crate) async fn glance<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if let Ok(db) = self.db.try_lock() {
            return snapshot(&db, act);
        }
        self.read(act).await
    }

    /// Runs `act` over one snapshot; everything that was answered before is in it.
    pub(crate) async fn read<T, F>(&self, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |db| {
            if !reply.is_canceled() {
                let _ = reply.send(snapshot(db, act));
            }
        });
        let sent = self.looks.as_ref().is_some_and(|looks| looks.send(look).is_ok());
        if !sent {
            return Err(StoreError::unavailable(Closed));
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::unavailable(Closed)))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.looks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn snapshot<T>(
    db: &Connection,
    act: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let execute =
        |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(failed);
    execute("BEGIN")?;
    let value = act(db);
    execute("COMMIT")?;
    value
}
