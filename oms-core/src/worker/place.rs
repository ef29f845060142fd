//! Placing: new streams are opened in shared commits, and answered once they are durable (rules 7, 25).

use super::{
    draft::Draft,
    metrics::add,
    origin::Origin,
    parts::{PLACE, Parts, first_alarm},
    seal::seal,
    turn::TurnError,
    work::Work,
};
use crate::{
    id::{Name, StreamId},
    message::{GroupLane, Message},
    service::{Entry, Fault, Handler, Loaded, Reaction},
    store::{Ask, Right, StoreError},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared, join_all},
    lock::Mutex,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// Makes what an opening causes.
pub type Causes = Box<dyn Fn() -> Result<Reaction, Fault> + Send + Sync>;

/// Recognises an open stream.
pub type Recognises = Box<dyn Fn(&Entry) -> Result<bool, Fault> + Send + Sync>;

/// A stream to be opened: what its first event causes, and how an open one is recognised as the same.
pub struct Opening {
    /// The stream.
    pub stream: StreamId,
    /// The request that causes it; its key decides the lane.
    pub cause: Message,
    /// What it causes.
    pub reaction: Causes,
    /// Whether the stream, which is open already, was opened by the same content.
    pub same: Recognises,
}

/// What became of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Durable, for the first time.
    New,
    /// It was placed before, with the same content.
    Known,
    /// The key was used before, with another content: nothing was changed.
    Mismatch,
}

/// Why an opening has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlaceError {
    /// Too much is waiting (rule 21).
    #[error("{owed} messages wait to be handled, the limit is {limit}; place it again when there are fewer")]
    Overloaded {
        /// How many wait.
        owed: u64,
        /// The limit.
        limit: u64,
    },
    /// The store did not answer: it may have been placed. Placing it again with the same key tells.
    #[error("the store cannot be reached: {0}; place it again with the same key")]
    Store(#[source] StoreError),
    /// It can never be placed.
    #[error("it cannot be placed: {0}")]
    Refused(String),
}

type Answer = Result<Placed, PlaceError>;
type Commit = Shared<BoxFuture<'static, Arc<Vec<Answer>>>>;
type WeakCommit = WeakShared<BoxFuture<'static, Arc<Vec<Answer>>>>;
type Items = Arc<std::sync::Mutex<Option<Vec<Opening>>>>;

/// Lets concurrent callers share a commit. While one commit is under way, those who come gather for the next.
///
/// A caller that is dropped leaves the others' commit as it is; if all of a commit are dropped, its outcome is unknown.
pub struct Placer {
    parts: Arc<Parts>,
    handler: Arc<dyn Handler>,
    gate: Arc<Mutex<()>>,
    /// Held weakly: a commit whose callers are all gone must not keep its lanes locked until somebody else places.
    next: std::sync::Mutex<Option<(Items, WeakCommit)>>,
    owed: std::sync::Mutex<(crate::clock::Timestamp, u64)>,
}

impl Placer {
    /// Places in the name of `handler`, which owns the streams and hears their deadlines.
    #[must_use]
    pub fn new(parts: Arc<Parts>, handler: Arc<dyn Handler>) -> Self {
        let never = (crate::clock::Timestamp(i64::MIN), 0);
        Self { parts, handler, gate: Arc::default(), next: std::sync::Mutex::default(), owed: never.into() }
    }

    /// Opens streams, all that arrive together in one commit for each lane, and answers in their order.
    ///
    /// # Errors
    /// For each opening its own [`PlaceError`].
    pub async fn place(&self, openings: Vec<Opening>) -> Vec<Answer> {
        if let Err(error) = self.admit().await {
            return openings.iter().map(|_| Err(error.clone())).collect();
        }
        let count = openings.len();
        let (first, commit) = self.join(openings);
        let answers = commit.await;
        answers.iter().skip(first).take(count).cloned().collect()
    }

    /// Refuses when too much is owed; counted at most once in a tenth of a second.
    async fn admit(&self) -> Result<(), PlaceError> {
        let limit = self.parts.options.backlog;
        let now = self.parts.clock.now();
        let (counted, mut owed) = *self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(counted) > std::time::Duration::from_millis(100) {
            let counts = self.parts.store.count().await.map_err(PlaceError::Store)?;
            // A dead letter keeps its owed row until it is handled; it is not what a house is overloaded by.
            owed = counts.owed.saturating_sub(counts.buried);
            *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = (now, owed);
        }
        if owed > limit { Err(PlaceError::Overloaded { owed, limit }) } else { Ok(()) }
    }

    /// Joins the gathering commit, or begins one; gives the place of the caller's first opening in it.
    fn join(&self, openings: Vec<Opening>) -> (usize, Commit) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((items, commit)) = next.as_ref()
            && let Some(commit) = commit.upgrade()
            && let Some(gathering) = items.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            let first = gathering.len();
            gathering.extend(openings);
            return (first, commit);
        }
        let items: Items = Arc::new(std::sync::Mutex::new(Some(openings)));
        let (parts, handler) = (Arc::clone(&self.parts), Arc::clone(&self.handler));
        let (gate, gathered) = (Arc::clone(&self.gate), Arc::clone(&items));
        let commit = async move {
            let _one_at_a_time = gate.lock().await;
            let openings = gathered.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
            Arc::new(open_all(&parts, handler.as_ref(), openings).await)
        };
        let commit = commit.boxed().shared();
        *next = commit.downgrade().map(|commit| (items, commit));
        (0, commit)
    }
}

/// Opens streams lane by lane, all lanes at once, so that a store with one writer commits them together.
async fn open_all(parts: &Parts, handler: &dyn Handler, openings: Vec<Opening>) -> Vec<Answer> {
    let mut lanes: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (number, opening) in openings.iter().enumerate() {
        lanes.entry(opening.cause.envelope.key.lane(parts.options.lanes)).or_default().push(number);
    }
    let mut answers: Vec<Answer> = openings.iter().map(|_| Ok(Placed::Known)).collect();
    let opened = lanes.into_iter().map(|(lane, numbers)| {
        let mine: Vec<&Opening> = numbers.iter().map(|number| &openings[*number]).collect();
        open_lane(parts, handler, lane, mine).map(move |opened| (numbers, opened))
    });
    for (numbers, opened) in join_all(opened).await {
        for (number, answer) in numbers.into_iter().zip(opened) {
            answers[number] = answer;
        }
    }
    answers
}

/// Opens the streams of one lane in batches; what the store refuses is halved until the culprit stands alone.
async fn open_lane(parts: &Parts, handler: &dyn Handler, lane: u16, openings: Vec<&Opening>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(openings.len());
    let mut size = parts.options.batch.messages;
    let mut conflicts = 0;
    while let Some(rest) = openings.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let batch = &rest[..size.min(rest.len())];
        match open_batch(parts, handler, lane, batch).await {
            Ok(opened) => {
                answers.extend(opened.into_iter().map(Ok));
                (size, conflicts) = (parts.options.batch.messages, 0);
            }
            Err(TurnError::Store(StoreError::Conflict)) => {
                add(&parts.tally.conflicts, 1);
                conflicts += 1;
                parts.nap(parts.options.outage.wait(parts.owner, conflicts)).await;
            }
            Err(
                TurnError::Store(StoreError::Refused(_)) | TurnError::Seal(_) | TurnError::Refused { .. },
            ) if batch.len() > 1 => size = batch.len() / 2,
            Err(TurnError::Store(StoreError::Refused(source))) => {
                answers.push(Err(PlaceError::Refused(source.to_string())));
            }
            Err(error @ (TurnError::Seal(_) | TurnError::Refused { .. })) => {
                answers.push(Err(PlaceError::Refused(error.to_string())));
            }
            Err(TurnError::Store(error)) => {
                let failed = batch.iter().map(|_| Err(PlaceError::Store(error.clone())));
                answers.extend(failed);
            }
        }
    }
    answers
}

async fn open_batch(
    parts: &Parts,
    handler: &dyn Handler,
    lane: u16,
    openings: &[&Opening],
) -> Result<Vec<Placed>, TurnError> {
    let right = Right::Unfenced(GroupLane::new(PLACE, lane));
    let streams = openings.iter().map(|opening| opening.stream.clone()).collect();
    let ask = Ask { streams, limit: parts.options.batch, ..Ask::default() };
    let mut open = parts.store.turn(&right, ask).await?;
    let mut found = open.found();
    let first = std::mem::take(&mut found.streams);
    let loaded = Loaded(first.into_iter().map(|(stream, state)| (stream, Entry::new(state))).collect());
    let mut draft = Draft::new(&Name::from(PLACE), handler, &mut found, loaded);
    let mut placed = Vec::with_capacity(openings.len());
    for opening in openings {
        placed
            .push(one(handler, opening, &mut draft).map_err(|fault| StoreError::refused(fault.to_string()))?);
    }
    if !draft.is_empty() {
        let (writes, _) = seal(draft, right.lane(), found.position, parts.codec.as_ref(), &parts.options)?;
        let alarm = first_alarm(found.now, &writes);
        open.commit(writes).await?;
        parts.relay.ring();
        parts.wake_for(alarm);
    }
    Ok(placed)
}

fn one(handler: &dyn Handler, opening: &Opening, draft: &mut Draft) -> Result<Placed, Fault> {
    let known = draft.loaded.get(&opening.stream).filter(|entry| entry.stream.version > 0);
    if let Some(entry) = known {
        return Ok(if (opening.same)(entry)? { Placed::Known } else { Placed::Mismatch });
    }
    let work = Work::new(opening.cause.clone(), Origin::Request);
    let reaction = (opening.reaction)()?;
    if !reaction.effects.is_empty() {
        // Answers go to the lane that wished, and no handler hears those of placing.
        return Err(Fault::Permanent("an opening may not wish; let the message it sends do so".to_owned()));
    }
    draft.take(handler, &work, reaction)?;
    Ok(Placed::New)
}
