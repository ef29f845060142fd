//! The writer: one thread that runs all jobs which are waiting in one transaction, and answers after its commit.

use crate::{
    lock::Guard,
    present::{After, SharedPresent, present},
    rows::failed,
};
use futures::channel::oneshot;
use oms_core::store::StoreError;
use rusqlite::Connection;
use std::{sync::mpsc, thread};

/// How many jobs share a commit at most.
const GROUP: usize = 256;

trait Job: Send {
    /// Runs inside a savepoint; says whether its rows may stay.
    fn run(&mut self, db: &Connection) -> bool;
    /// Applies what follows in memory, answers, and lets go of the locks.
    fn end(self: Box<Self>, committed: Result<(), StoreError>, shared: &SharedPresent);
    fn alone(&self) -> bool;
}

struct Task<T, F> {
    act: Option<F>,
    done: Option<Result<(T, After), StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    // Held until the job has ended, so that a caller who went away lets nobody in while the writes are still queued.
    _guards: Vec<Guard>,
    alone: bool,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<(T, After), StoreError> + Send> Job for Task<T, F> {
    fn run(&mut self, db: &Connection) -> bool {
        self.done = self.act.take().map(|act| act(db));
        matches!(self.done, Some(Ok(_)))
    }

    fn end(self: Box<Self>, committed: Result<(), StoreError>, shared: &SharedPresent) {
        let answer = match (self.done, committed) {
            (Some(Ok((value, after))), Ok(())) => {
                present(shared).apply(after);
                Ok(value)
            }
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(_)), Err(error)) => Err(error),
            (None, committed) => Err(committed.err().unwrap_or_else(closed)),
        };
        let _ = self.reply.send(answer);
    }

    fn alone(&self) -> bool {
        self.alone
    }
}

/// The thread that this store needs has ended.
#[derive(Debug, thiserror::Error)]
#[error("the store was closed; open it again")]
struct Closed;

fn closed() -> StoreError {
    StoreError::unavailable(Closed)
}

/// A way to the writer; the thread ends when the last one is dropped and its queue is empty.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(db: Connection, shared: SharedPresent) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("oms-sqlite-write".into())
            .spawn(move || serve(&db, &queue, &shared))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `act` in a commit, alone or with others; once queued it runs even if the caller goes away.
    pub(crate) async fn write<T, F>(&self, alone: bool, guards: Vec<Guard>, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<(T, After), StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task { act: Some(act), done: None, reply, _guards: guards, alone };
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Box::new(task)).is_ok());
        if !sent {
            return Err(closed());
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(db: &Connection, queue: &mpsc::Receiver<Box<dyn Job>>, shared: &SharedPresent) {
    let mut next = queue.recv().ok();
    while let Some(first) = next.take() {
        let mut group = vec![first];
        while group.len() < GROUP && !group.last().is_some_and(|job| job.alone()) {
            match queue.try_recv() {
                Ok(job) if job.alone() => {
                    next = Some(job);
                    break;
                }
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        let committed = commit(db, &mut group, shared);
        group.into_iter().for_each(|job| job.end(committed.clone(), shared));
        next = next.or_else(|| queue.recv().ok());
    }
}

fn commit(db: &Connection, group: &mut [Box<dyn Job>], shared: &SharedPresent) -> Result<(), StoreError> {
    let ran = run_all(db, group);
    if ran.is_err() && !db.is_autocommit() {
        // A full disk may have ended the transaction already; else nothing of it may stay.
        let _ = db.execute_batch("ROLLBACK");
    }
    let rows = ran?;
    let mut present = present(shared);
    present.counts.rows_written += rows;
    present.counts.commits += u64::from(rows > 0);
    Ok(())
}

fn run_all(db: &Connection, group: &mut [Box<dyn Job>]) -> Result<u64, StoreError> {
    let execute =
        |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(failed);
    execute("BEGIN IMMEDIATE")?;
    let mut rows = 0;
    for job in group {
        let before = db.total_changes();
        execute("SAVEPOINT job")?;
        let stays = job.run(db);
        if db.is_autocommit() {
            return Err(StoreError::unavailable(RolledBack));
        }
        if stays {
            rows += db.total_changes() - before;
        } else {
            execute("ROLLBACK TO job")?;
        }
        execute("RELEASE job")?;
    }
    execute("COMMIT")?;
    Ok(rows)
}

/// SQLite gave up the whole transaction.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be written; check the space and the health of its disk")]
struct RolledBack;
