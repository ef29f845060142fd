//! A turn of one process: it may be refused, its answer may be lost, and what it commits is accounted for.

use crate::{
    deliveries::{Reading, Summary},
    executor::current_task,
    executor::give_way,
    fault::Fault,
    lock::locked,
    mark::Mark,
    world::{Slot, World},
};
use async_trait::async_trait;
use oms_core::{
    id::{Rank, StreamId},
    message::GroupLane,
    store::{Ask, Consumed, End, Found, LocalMessage, Right, StoreError, Streams, Turn, Writes},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// A turn of one process.
pub(crate) struct SimTurn {
    world: Arc<World>,
    slot: Slot,
    found: Option<Found>,
    lane: GroupLane,
    reading: Reading,
    unfenced: bool,
    gone: bool,
}

impl SimTurn {
    pub(crate) fn new(
        world: Arc<World>,
        process: usize,
        right: &Right,
        ask: &Ask,
        mut inner: Box<dyn Turn>,
    ) -> Self {
        let found = inner.found();
        let (lane, slot) = (right.lane().clone(), Arc::new(Mutex::new(Some(inner))));
        world.turns.add(process, &slot);
        world.book().begin(current_task(), lane.lane);
        note_found(&world, ask, &found);
        world.trace.say(|| {
            let owed: Vec<String> =
                found.owed.iter().map(|owed| format!("{} {:?}", owed.pack, owed.left)).collect();
            format!("{lane} begins, of {} at most, with {owed:?}", ask.limit.messages)
        });
        for local in &found.local {
            if let LocalMessage::Due { stream, .. } = local
                && world.book().fire(&lane, stream, found.now)
            {
                world.mark(Mark::DeadlinePutOff);
            }
        }
        let reading = Reading::of(&lane, &found);
        let unfenced = matches!(right, Right::Unfenced(_)) && !ask.answered.is_empty();
        Self { world, slot, found: Some(found), lane, reading, unfenced, gone: false }
    }

    fn take(&self) -> Result<Box<dyn Turn>, StoreError> {
        let turn = locked(&self.slot).take();
        turn.ok_or_else(|| StoreError::unavailable("the turn was idle for too long, and was ended"))
    }
}

fn note_found(world: &World, ask: &Ask, found: &Found) {
    let mark = |holds: bool, mark| {
        if holds {
            world.mark(mark);
        }
    };
    mark(!found.duplicates.is_empty(), Mark::DuplicateDropped);
    mark(found.owed.iter().any(|owed| owed.cut), Mark::PackCut);
    mark(found.owed.iter().any(|owed| owed.overdue), Mark::TakenFromStore);
    let earlier = |owed: &oms_core::store::Owed| !owed.overdue && !ask.packs.contains(&owed.pack);
    mark(found.owed.iter().any(earlier), Mark::EarlierFirst);
}

#[async_trait]
impl Turn for SimTurn {
    fn found(&mut self) -> Found {
        self.found.take().unwrap_or_default()
    }

    async fn load(&mut self, streams: &BTreeSet<StreamId>) -> Result<Streams, StoreError> {
        if streams.iter().any(|stream| stream.rank == Rank::Shared) {
            self.world.mark(Mark::SharedStreams);
        }
        let mut inner = self.take()?;
        let loaded = inner.load(streams).await;
        *locked(&self.slot) = Some(inner);
        if self.world.plan.gives_way > 0 {
            give_way().await;
        }
        loaded
    }

    async fn commit(mut self: Box<Self>, writes: Writes) -> Result<(), StoreError> {
        give_way().await;
        let world = Arc::clone(&self.world);
        let inner = self.take()?;
        self.gone = true;
        if world.happens(Fault::Conflict) {
            world.mark(Mark::BeganAgain);
            return Err(StoreError::Conflict);
        }
        if world.happens(Fault::StoreTimeout) {
            return Err(StoreError::unavailable("the commit timed out"));
        }
        if crate::hearer::refused(&world, &writes) {
            world.note(Fault::StoreRefuses);
            world.trace.say(|| format!("{} is refused: {}", self.lane, words(&Summary::of(&writes))));
            return Err(StoreError::refused("these rows never fit"));
        }
        let summary = Summary::of(&writes);
        match inner.commit(writes).await {
            Ok(()) => {}
            Err(error) => {
                world.trace.say(|| format!("{} does not commit: {error}", self.lane));
                note_refusal(&world, &error);
                return Err(error);
            }
        }
        self.account(&summary);
        give_way().await;
        if world.happens(Fault::CommitUnknown) {
            return Err(StoreError::unavailable("the answer of the commit was lost"));
        }
        Ok(())
    }
}

impl SimTurn {
    fn account(&self, summary: &Summary) {
        let world = &self.world;
        world.trace.say(|| format!("{} commits {}", self.lane, words(summary)));
        world.book().commit(current_task(), &self.reading, summary, world.time.now());
        let mark = |holds: bool, mark| {
            if holds {
                world.mark(mark);
            }
        };
        mark(summary.placed > 1, Mark::PlacedTogether);
        mark(summary.parked.contains(&false), Mark::Parked);
        mark(summary.parked.contains(&true), Mark::ParkedBehind);
        mark(summary.buried > 0, Mark::Buried);
        mark(summary.condemned, Mark::Condemned);
        mark(summary.withdrawn > 0, Mark::Withdrawn);
        for consumed in summary.consumed() {
            match consumed {
                Consumed::Released { end: End::Handled, .. } => world.mark(Mark::Released),
                Consumed::Redriven { end: End::Handled, .. } => world.mark(Mark::Redriven),
                Consumed::Due { .. } => world.mark(Mark::DeadlineFired),
                Consumed::Answered { .. } => mark(self.unfenced, Mark::AnswerUnfenced),
                Consumed::Owed { .. } | Consumed::Released { .. } | Consumed::Redriven { .. } => {}
            }
        }
    }
}

pub(super) fn note_refusal(world: &World, error: &StoreError) {
    match error {
        StoreError::LostLease(_) => world.mark(Mark::LostLease),
        StoreError::Conflict => world.mark(Mark::BeganAgain),
        StoreError::Misused(why) => world.wrong(format!("the store was misused: {why}")),
        StoreError::Unavailable(_) | StoreError::Refused(_) | StoreError::Unfit(_) => {}
    }
}

fn words(summary: &Summary) -> String {
    let mut words = Vec::new();
    for consumed in summary.consumed() {
        words.push(match consumed {
            Consumed::Owed { pack, indexes, end } => format!("{end:?} {indexes:?} of {pack}"),
            Consumed::Due { stream, firing, .. } => format!("deadline {firing} of {stream}"),
            Consumed::Released { seq, end } => format!("{end:?} parked {seq}"),
            Consumed::Redriven { number, end } => format!("{end:?} dead letter {number}"),
            Consumed::Answered { effect, then } => format!("answer of {effect}, then {then:?}"),
        });
    }
    words.push(summary.to_string());
    words.join("; ")
}

impl Drop for SimTurn {
    fn drop(&mut self) {
        if !self.gone && locked(&self.slot).is_some() {
            self.world.mark(Mark::TurnDropped);
        }
    }
}
