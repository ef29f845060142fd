//! The keeper of one generation: reads the log on from its checkpoint, folds, and saves rows and cursors together.

use super::{
    fold::Projection,
    hand::Hand,
    lanes::Lanes,
    port::{Generation, ReadModels, Save},
    subject::Heard,
};
use crate::{
    id::Name,
    message::GroupLane,
    store::{Recorded, Store, StoreError},
};
use std::{collections::BTreeSet, sync::Arc};

/// How many changed subjects are written at a time at most.
const SAVE: usize = 2_000;
/// As many events in one batch as its changed subjects allow.
pub const BATCH: usize = usize::MAX;

/// How far a generation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Positions that are in the rows.
    pub done: u64,
    /// Positions that there were when it was last asked.
    pub head: u64,
    /// Events heard by this keeper.
    pub events: u64,
    /// Everything that was there when it was asked is saved.
    pub caught_up: bool,
}

/// Builds a generation, and keeps it up to date.
///
/// Nothing but the store's log is read and nothing but the rows is written: no gateway is called, no message sent. Dropped
/// at any await, it loses what was not saved, and another goes on from the checkpoint. After an error it must be dropped.
pub struct Keeper {
    store: Arc<dyn Store>,
    models: Arc<dyn ReadModels>,
    generation: Generation,
    hand: Hand,
    lanes: Lanes,
    saves: u64,
    events: u64,
}

impl Keeper {
    /// Goes on with a generation from its checkpoint, over `lanes` lanes of each group that the model reads.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the generation is gone. [`StoreError::Unfit`] when its checkpoint is ahead of the log: an
    /// older log was restored under it, and it must be built anew. [`StoreError::Unavailable`].
    pub async fn open(
        store: Arc<dyn Store>,
        models: Arc<dyn ReadModels>,
        projection: Arc<dyn Projection>,
        generation: Generation,
        lanes: u16,
    ) -> Result<Self, StoreError> {
        let checkpoint = models.checkpoint(&generation).await?;
        let groups = projection.groups().iter();
        let names: Vec<GroupLane> =
            groups.flat_map(|group| (0..lanes).map(|lane| GroupLane::new(group, lane))).collect();
        let heads = store.heads(&names).await?;
        let lanes = Lanes::new(names, &checkpoint.cursors);
        if lanes.is_ahead(&heads) {
            let Generation { model, number } = &generation;
            return Err(StoreError::Unfit(format!(
                "generation {number} of the read model {model} has read more than the log has; rebuild it"
            )));
        }
        let hand = Hand::new(projection, generation.clone());
        Ok(Self { store, models, generation, hand, lanes, saves: checkpoint.saves, events: 0 })
    }

    /// The generation that it keeps.
    #[must_use]
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// Reads, folds and saves one batch of at most `most` events, give or take those that a gap held back; says how far that
    /// came. When there is nothing new it costs one query.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else keeps this generation, or it is gone. [`StoreError::Refused`] when its rows
    /// cannot be read: it must be built anew. [`StoreError::Unavailable`].
    pub async fn step(&mut self, most: usize) -> Result<Progress, StoreError> {
        let news = self.lanes.look(self.store.as_ref()).await?;
        let caught_up = !news || self.hear(most).await?;
        let save = self.hand.save(self.models.as_ref()).await?;
        let save = Save { cursors: self.lanes.moved(), ..save };
        if save != Save::default() {
            self.models.save(&self.generation, self.saves, save).await?;
            self.saves += 1;
        }
        let (done, head) = self.lanes.reach();
        Ok(Progress { done, head, events: self.events, caught_up })
    }

    /// Hears until enough has changed, or nothing is left; says whether nothing is.
    async fn hear(&mut self, most: usize) -> Result<bool, StoreError> {
        let enough = self.events.saturating_add(most as u64);
        let full = |keeper: &Self| keeper.hand.dirty() >= SAVE || keeper.events >= enough;
        while !full(self) {
            let (hand, mut absent) = (&mut self.hand, BTreeSet::new());
            let kind = |recorded: &Recorded| {
                let kind = hand.kind(&recorded.stream.kind)?;
                if !hand.has(&recorded.stream.id) {
                    absent.insert(Name::clone(&recorded.stream.id));
                }
                Some(kind)
            };
            self.lanes.fill(self.store.as_ref(), kind).await?;
            self.hand.fetch(self.models.as_ref(), absent).await?;
            while let Some(place) = self.lanes.first() {
                self.one(place).await?;
                if self.lanes.is_short() || full(self) {
                    break;
                }
            }
            if self.lanes.is_short() || self.lanes.first().is_some() {
                continue;
            }
            match self.lanes.held() {
                Some(place) => self.mend(place).await?,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    async fn one(&mut self, place: usize) -> Result<(), StoreError> {
        let Some(next) = self.lanes.peek(place) else { return Ok(()) };
        match self.hand.hear(next.kind, &next.recorded) {
            Some(Heard::Early) => self.lanes.hold(place),
            Some(Heard::Applied | Heard::Known | Heard::Stopped(_)) => {
                self.lanes.pop(place);
                self.events += 1;
            }
            // Its lane waited so long that others have taken its place in the hand.
            None => self.take_up(&Name::clone(&next.recorded.stream.id)).await?,
        }
        Ok(())
    }

    /// Brings a subject back into the hand.
    async fn take_up(&mut self, id: &Name) -> Result<(), StoreError> {
        if !self.hand.has(id) {
            self.hand.fetch(self.models.as_ref(), [Name::clone(id)].into()).await?;
        }
        Ok(())
    }

    /// Closes a gap that no lane closes: its events were committed since the lanes were read, and are read from the stream
    /// itself; or they are nowhere, and the stream stops, but not the others.
    async fn mend(&mut self, place: usize) -> Result<(), StoreError> {
        let Some(next) = self.lanes.peek(place) else { return Ok(()) };
        let (kind, stream, version) = (next.kind, next.recorded.stream.clone(), next.recorded.version);
        self.take_up(&stream.id).await?;
        let known = self.hand.version(kind, &stream.id);
        let wanted = usize::try_from(version.saturating_sub(known)).unwrap_or(usize::MAX);
        let missing = self.store.history(&stream, known, wanted).await?;
        for recorded in missing.iter().filter(|recorded| recorded.version < version) {
            self.hand.hear(kind, recorded);
        }
        let known = self.hand.version(kind, &stream.id);
        if let Some(next) = self.lanes.peek(place).filter(|_| known + 1 < version) {
            self.lost(kind, &next.recorded.clone(), known + 1);
        }
        self.lanes.free(place);
        Ok(())
    }

    fn lost(&mut self, kind: usize, recorded: &Recorded, version: u64) {
        let stream = &recorded.stream;
        let why = format!(
            "{stream} version {version}: it is missing before version {}; restore it from a backup",
            recorded.version
        );
        self.hand.stop(kind, recorded, why);
    }
}
