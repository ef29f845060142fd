//! Commits: what turns want to write is planned from the rows that are there, and as many turns as have come together are written
//! in one transaction and one round trip.

mod changes;
mod need;
mod plan;

pub(crate) use changes::{Changes, calls};
pub(crate) use need::{STANDING, complete, key, standing};
pub(crate) use plan::{Read, There, plan};

use crate::{
    gather::Gather,
    known::Known,
    lock::Guard,
    pipe::Calls,
    rows::{MOVED, told},
};
use oms_core::{message::GroupLane, store::StoreError};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::oneshot;
use tokio_postgres::Error;

type Answer = Result<(), StoreError>;

type Learn = Box<dyn FnOnce(&Known, bool) + Send>;

/// One turn's changes. The locks of this process are held until it has ended, however it does.
pub(crate) struct Job {
    pub(crate) lane: GroupLane,
    pub(crate) id: i32,
    pub(crate) changes: Changes,
    pub(crate) guards: Vec<Guard>,
    pub(crate) reply: oneshot::Sender<Answer>,
    /// What this process learns once the commit is durable; whether all wishes were new.
    pub(crate) learn: Learn,
}

impl Job {
    fn end(self, known: &Known, written: Result<Written, StoreError>) {
        let answer = written.map(|written| (self.learn)(known, written.all_new));
        drop(self.guards);
        // Whoever asked may have gone away.
        let _ = self.reply.send(answer);
    }
}

/// What a transaction wrote.
#[derive(Clone, Copy)]
struct Written {
    /// Whether no wish was there before: one that was may have been told.
    all_new: bool,
}

/// Starts the tasks that commit.
pub(crate) fn committer(known: &Arc<Known>) -> Gather<Job> {
    let known = Arc::clone(known);
    Gather::start(move |jobs| run(Arc::clone(&known), jobs))
}

/// Writes all jobs together; those that something has moved on for are told so, and the others go on without them.
async fn run(known: Arc<Known>, mut jobs: Vec<Job>) {
    let known = &*known;
    while !jobs.is_empty() {
        let error = match Batch::of(&jobs, known.link.now()).write(known).await {
            Ok(written) => {
                return jobs.into_iter().for_each(|job| job.end(known, Ok(written)));
            }
            Err(error) => error,
        };
        let (moved, lost) = error.lanes();
        if moved.is_empty() && lost.is_empty() {
            // One that cannot be written at all must not take others with it; an unknown outcome is everybody's.
            if jobs.len() > 1 && error.is_of_one() {
                for job in jobs {
                    let batch = Batch::of(std::slice::from_ref(&job), known.link.now());
                    let written = batch.write(known).await.map_err(|error| error.of(&job));
                    job.end(known, written);
                }
                return;
            }
            return jobs.into_iter().for_each(|job| {
                let answer = error.of(&job);
                job.end(known, Err(answer));
            });
        }
        let (out, rest) = jobs.into_iter().partition(|job| error.is_about(job));
        jobs = rest;
        let out: Vec<Job> = out;
        for job in out {
            let answer = error.of(&job);
            job.end(known, Err(answer));
        }
    }
}

/// A transaction that is ready to be written.
struct Batch {
    calls: Calls,
    wishes: Option<(usize, u64)>,
}

impl Batch {
    fn of(jobs: &[Job], now: Option<i64>) -> Self {
        let turns: Vec<&Changes> = jobs.iter().map(|job| &job.changes).collect();
        let (calls, wishes) = changes::calls(&turns, now);
        Self { calls, wishes }
    }

    async fn write(self, known: &Known) -> Result<Written, Failure> {
        let client = known.link.client().await.map_err(Failure::Away)?;
        let done = self.calls.commit(&client).await;
        let done =
            done.map_err(|late| Failure::Away(StoreError::unavailable(late)))?.map_err(Failure::Said)?;
        known.count(done.iter().sum());
        let made = |(place, wanted): (usize, u64)| done.get(place) == Some(&wanted);
        Ok(Written { all_new: self.wishes.is_none_or(made) })
    }
}

/// Why a transaction was not written.
enum Failure {
    /// There was no connection for it.
    Away(StoreError),
    /// What the database or the client said.
    Said(Error),
}

impl Failure {
    /// The lanes that have moved on, and those whose lease is gone.
    fn lanes(&self) -> (BTreeSet<i32>, BTreeSet<i32>) {
        let Self::Said(error) = self else { return Default::default() };
        let said = error.as_db_error().filter(|said| said.code().code() == MOVED);
        let (moved, lost) = said.and_then(|said| said.detail()?.split_once(';')).unwrap_or_default();
        let read = |list: &str| list.split(',').filter_map(|id| id.parse().ok()).collect();
        (read(moved), read(lost))
    }

    fn is_about(&self, job: &Job) -> bool {
        let (moved, lost) = self.lanes();
        moved.contains(&job.id) || lost.contains(&job.id)
    }

    /// Whether one turn may be to blame, and nothing was written.
    fn is_of_one(&self) -> bool {
        let Self::Said(error) = self else { return false };
        // Class 40 is a transaction that was rolled back, 22 and 23 are rows that do not fit, 54 is a limit.
        let classes = ["22", "23", "40", "54"];
        error.code().is_some_and(|code| classes.iter().any(|class| code.code().starts_with(class)))
    }

    /// What one turn is told.
    fn of(&self, job: &Job) -> StoreError {
        let (_, lost) = self.lanes();
        match self {
            _ if lost.contains(&job.id) => StoreError::LostLease(job.lane.clone()),
            Self::Away(error) => error.clone(),
            Self::Said(error) => told(error),
        }
    }
}
