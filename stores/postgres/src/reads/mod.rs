//! Reads: what turns ask is answered over one snapshot, in one round trip, for as many turns as have come together.

mod merge;
mod question;

pub(crate) use question::{LANES, LaneRow, OfLane, Question, Reply};

use crate::{
    gather::Gather,
    known::Known,
    rows::{told, was_answered},
};
use futures::future::join_all;
use merge::Merged;
use oms_core::store::StoreError;
use std::sync::Arc;
use tokio::sync::oneshot;

/// One turn's question.
pub(crate) struct Job {
    question: Question,
    reply: oneshot::Sender<Result<Reply, StoreError>>,
}

/// Starts the tasks that read.
pub(crate) fn reader(known: &Arc<Known>) -> Gather<Job> {
    let known = Arc::clone(known);
    Gather::start(move |jobs| run(Arc::clone(&known), jobs))
}

/// Asks together with whoever else asks now.
pub(crate) async fn ask(reader: &Gather<Job>, question: Question) -> Result<Reply, StoreError> {
    let (reply, answer) = oneshot::channel();
    reader.ask(Job { question, reply }, answer).await
}

async fn run(known: Arc<Known>, mut jobs: Vec<Job>) {
    // Whoever went away has let go of the lane, and another may ask about it in the same breath.
    jobs.retain(|job| !job.reply.is_closed());
    let questions: Vec<&Question> = jobs.iter().map(|job| &job.question).collect();
    let replies = match together(&known, &questions).await {
        Ok(replies) => replies,
        // One that cannot be answered must not take others with it.
        Err(Failure { was_answered: true, .. }) if questions.len() > 1 => {
            join_all(questions.iter().map(|question| alone(&known, question))).await
        }
        Err(Failure { error, .. }) => vec![error; jobs.len()].into_iter().map(Err).collect(),
    };
    for (job, reply) in jobs.into_iter().zip(replies) {
        // Whoever asked may have gone away.
        let _ = job.reply.send(reply);
    }
}

/// Why nobody was told anything.
struct Failure {
    error: StoreError,
    /// Whether the database answered, and may answer the others.
    was_answered: bool,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { error, was_answered: false }
    }
}

async fn together(known: &Known, questions: &[&Question]) -> Result<Vec<Result<Reply, StoreError>>, Failure> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let merged = Merged::of(questions, known.link.now());
    let client = known.link.client().await?;
    let answers = merged.steps.look(&client).await.map_err(StoreError::unavailable)?;
    let answers =
        answers.map_err(|error| Failure { error: told(&error), was_answered: was_answered(&error) })?;
    // Whoever holds a connection must not wait for another: all could be held that way.
    drop(client);
    merged.replies(&answers, &mut known.heads()).map_err(Failure::from)
}

async fn alone(known: &Known, question: &Question) -> Result<Reply, StoreError> {
    let mut replies = together(known, &[question]).await.map_err(|failure| failure.error)?;
    replies.pop().unwrap_or_else(|| Err(StoreError::Misused("a question had no answer")))
}
