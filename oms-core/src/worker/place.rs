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
    clock::Timestamp,
    id::{Name, StreamId},
    message::{GroupLane, Message},
    service::{Entry, Fault, Handler, Loaded, Reaction},
    store::{Ask, Right, StoreError, Turn, Within},
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

/// Lets concurrent callers share a commit. While a commit of a lane is under way, those who come to that lane gather for its next.
///
/// A caller that is dropped leaves the others' commit as it is; if all of a commit are dropped, its outcome is unknown.
pub struct Placer {
    parts: Arc<Parts>,
    handler: Arc<dyn Handler>,
    doors: Vec<Door>,
    owed: std::sync::Mutex<(Timestamp, u64)>,
}

/// Where the callers of one lane gather.
#[derive(Default)]
struct Door {
    gate: Arc<Mutex<()>>,
    /// Held weakly: a commit whose callers are all gone must not keep its lane locked until somebody else places.
    next: std::sync::Mutex<Option<(Items, WeakCommit)>>,
}

impl Placer {
    /// Places in the name of `handler`, which owns the streams and hears their deadlines.
    #[must_use]
    pub fn new(parts: Arc<Parts>, handler: Arc<dyn Handler>) -> Self {
        let never = (Timestamp(i64::MIN), 0);
        let doors = (0..parts.options.lanes).map(|_| Door::default()).collect();
        Self { parts, handler, doors, owed: never.into() }
    }

    /// Opens streams, all that arrive together in one commit for each lane, and answers in their order.
    ///
    /// # Errors
    /// For each opening its own [`PlaceError`].
    pub async fn place(&self, openings: Vec<Opening>) -> Vec<Answer> {
        if let Err(error) = self.admit().await {
            return openings.iter().map(|_| Err(error.clone())).collect();
        }
        let mut answers = vec![unanswered(); openings.len()];
        let lanes = by_lane(&self.parts, &openings);
        let mut openings: Vec<Option<Opening>> = openings.into_iter().map(Some).collect();
        // All lanes at once, so that a store with one writer commits them together.
        let opened: Vec<_> = lanes
            .into_iter()
            .map(|(lane, numbers)| {
                let mine = numbers.iter().filter_map(|number| openings[*number].take()).collect();
                let (first, commit) = self.join(lane, mine);
                commit.map(move |opened| (numbers, first, opened))
            })
            .collect();
        for (numbers, first, opened) in join_all(opened).await {
            for (number, answer) in numbers.into_iter().zip(opened.iter().skip(first)) {
                answers[number] = answer.clone();
            }
        }
        answers
    }

    /// Opens streams within a transaction of the user's own, lane by lane in one order for everybody, and answers in their
    /// order. No loop is told: nothing has happened before the user's own commit.
    ///
    /// # Errors
    /// For each opening its own [`PlaceError`]; openings of one lane may share one. Those that have none are in the transaction.
    pub async fn place_in(&self, within: &mut dyn Within, openings: Vec<Opening>) -> Vec<Answer> {
        if let Err(error) = self.admit().await {
            return openings.iter().map(|_| Err(error.clone())).collect();
        }
        let mut answers = vec![unanswered(); openings.len()];
        for (lane, numbers) in by_lane(&self.parts, &openings) {
            for numbers in numbers.chunks(self.parts.options.batch.messages.max(1)) {
                let mine: Vec<&Opening> = numbers.iter().map(|number| &openings[*number]).collect();
                let opened = self.lane_in(within, lane, &mine).await;
                for (place, number) in numbers.iter().enumerate() {
                    answers[*number] = match &opened {
                        Ok(placed) => Ok(placed[place]),
                        Err(error) => Err(error.clone()),
                    };
                }
            }
        }
        answers
    }

    async fn lane_in(
        &self,
        within: &mut dyn Within,
        lane: u16,
        openings: &[&Opening],
    ) -> Result<Vec<Placed>, PlaceError> {
        let (right, ask) = entry(&self.parts, lane, openings);
        let open = within.turn(&right, ask).await.map_err(PlaceError::Store)?;
        let filled = fill(&self.parts, self.handler.as_ref(), &right, open, openings).await;
        filled.map(|(placed, _)| placed).map_err(|error| match error {
            TurnError::Store(StoreError::Refused(source)) => PlaceError::Refused(source.to_string()),
            TurnError::Store(error) => PlaceError::Store(error),
            error @ (TurnError::Seal(_) | TurnError::Refused { .. }) => {
                PlaceError::Refused(error.to_string())
            }
        })
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

    /// Joins the gathering commit of a lane, or begins one; gives the place of the caller's first opening in it.
    fn join(&self, lane: u16, openings: Vec<Opening>) -> (usize, Commit) {
        let door = &self.doors[usize::from(lane)];
        let mut next = door.next.lock().unwrap_or_else(PoisonError::into_inner);
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
        let (gate, gathered) = (Arc::clone(&door.gate), Arc::clone(&items));
        let commit = async move {
            let _one_at_a_time = gate.lock().await;
            let openings = gathered.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
            Arc::new(open_lane(&parts, handler.as_ref(), lane, &openings).await)
        };
        let commit = commit.boxed().shared();
        *next = commit.downgrade().map(|commit| (items, commit));
        (0, commit)
    }
}

/// What is said until something else is known: nobody may take it for accepted.
fn unanswered() -> Answer {
    Err(PlaceError::Store(StoreError::unavailable("the commit gave no answer")))
}

/// The numbers of openings by their lanes.
fn by_lane(parts: &Parts, openings: &[Opening]) -> BTreeMap<u16, Vec<usize>> {
    let mut lanes: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (number, opening) in openings.iter().enumerate() {
        lanes.entry(opening.cause.envelope.key.lane(parts.options.lanes)).or_default().push(number);
    }
    lanes
}

/// Opens the streams of one lane in batches; what the store refuses is halved until the culprit stands alone.
async fn open_lane(parts: &Parts, handler: &dyn Handler, lane: u16, openings: &[Opening]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(openings.len());
    let mut size = parts.options.batch.messages;
    let mut conflicts = 0;
    while let Some(rest) = openings.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let batch: Vec<&Opening> = rest.iter().take(size).collect();
        match open_batch(parts, handler, lane, &batch).await {
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
    let (right, ask) = entry(parts, lane, openings);
    let open = parts.store.turn(&right, ask).await?;
    let (placed, written) = fill(parts, handler, &right, open, openings).await?;
    if let Some(alarm) = written {
        parts.relay.ring();
        parts.wake_for(alarm);
    }
    Ok(placed)
}

/// By what right openings enter their lane, and what they ask.
fn entry(parts: &Parts, lane: u16, openings: &[&Opening]) -> (Right, Ask) {
    let streams = openings.iter().map(|opening| opening.stream.clone()).collect();
    let ask = Ask { streams, limit: parts.options.batch, ..Ask::default() };
    (Right::Unfenced(GroupLane::new(PLACE, lane)), ask)
}

/// The first alarm that was set, if there is one.
type Alarm = Option<Timestamp>;

/// Opens what is new and commits; gives what became of each, and of the commit, where there was something to write.
async fn fill<'a>(
    parts: &Parts,
    handler: &dyn Handler,
    right: &Right,
    mut open: Box<dyn Turn + 'a>,
    openings: &[&Opening],
) -> Result<(Vec<Placed>, Option<Alarm>), TurnError> {
    let mut found = open.found();
    let first = std::mem::take(&mut found.streams);
    let loaded = Loaded(first.into_iter().map(|(stream, state)| (stream, Entry::new(state))).collect());
    let mut draft = Draft::new(&Name::from(PLACE), handler, &mut found, loaded);
    let mut placed = Vec::with_capacity(openings.len());
    for opening in openings {
        placed
            .push(one(handler, opening, &mut draft).map_err(|fault| StoreError::refused(fault.to_string()))?);
    }
    if draft.is_empty() {
        return Ok((placed, None));
    }
    let (writes, _) = seal(draft, right.lane(), found.position, parts.codec.as_ref(), &parts.options)?;
    let alarm = first_alarm(found.now, &writes);
    open.commit(writes).await?;
    Ok((placed, Some(alarm)))
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
