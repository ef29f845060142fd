//! Jobs that come together: a few tasks take all that waits, so that as many as there are share a round trip.

use oms_core::store::StoreError;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// How many jobs are taken at a time at most.
const MOST: usize = 64;

/// How many tasks there are: while one waits for the database, the next is gathered.
const TASKS: usize = 2;

/// A way to the tasks; they end with the last store and turn.
pub(crate) struct Gather<J>(mpsc::UnboundedSender<J>);

/// The tasks that this store needs have ended.
#[derive(Debug, thiserror::Error)]
#[error("the runtime that this store was opened on has ended; open it again")]
struct Closed;

impl<J: Send + 'static> Gather<J> {
    /// Starts the tasks; `run` does all jobs that it is given, at least one.
    pub(crate) fn start<F>(run: impl Fn(Vec<J>) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (jobs, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..TASKS {
            tokio::spawn(serve(Arc::clone(&queue), run.clone()));
        }
        Self(jobs)
    }

    /// Queues a job and waits for its answer. Once it is queued it runs even if the caller goes away.
    pub(crate) async fn ask<T>(
        &self,
        job: J,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::unavailable(Closed);
        self.0.send(job).map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

async fn serve<J, F>(queue: Arc<Mutex<mpsc::UnboundedReceiver<J>>>, run: impl Fn(Vec<J>) -> F)
where
    F: Future<Output = ()>,
{
    loop {
        let mut jobs = Vec::with_capacity(MOST);
        if queue.lock().await.recv_many(&mut jobs, MOST).await == 0 {
            return;
        }
        run(jobs).await;
    }
}
