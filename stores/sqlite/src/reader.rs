//! A reader: one thread with a connection of its own, which never waits for the writer.

use crate::rows::failed;
use futures::channel::oneshot;
use oms_core::store::StoreError;
use rusqlite::Connection;
use std::{sync::mpsc, thread};

type Look = Box<dyn FnOnce(&Connection) + Send>;

/// The reading thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the store was closed; open it again")]
struct Closed;

/// A way to the reader.
pub(crate) struct Reader {
    looks: Option<mpsc::Sender<Look>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    pub(crate) fn start(name: &str, db: Connection) -> std::io::Result<Self> {
        let (looks, queue) = mpsc::channel::<Look>();
        let serve = move || queue.iter().for_each(|look| look(&db));
        let thread = thread::Builder::new().name(name.into()).spawn(serve)?;
        Ok(Self { looks: Some(looks), thread: Some(thread) })
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
