//! The library of a house: its models, where their rows are kept, and what is done with them as a whole.

use super::{
    fold::Projection,
    hash::generation_hash,
    keeper::{BATCH, Keeper, Progress},
    key,
    port::{By, Checkpoint, Generation, ReadModels, Row, Scan, Stage, Standing},
};
use crate::{
    id::Name,
    store::{Store, StoreError},
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// How many rows of a generation that is gone are removed at a time.
const DISCARD: usize = 5_000;
/// How often two generations are compared before it is said that the live one does not stand still.
const COMPARES: usize = 100;

/// A model as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name.
    pub model: &'static str,
    /// The generation that is shown; `None` before the first was built, or when it is of another shape.
    pub live: Option<u64>,
    /// The one that is being built.
    pub building: Option<u64>,
    /// Positions of the log that are in the rows that are shown.
    pub done: u64,
    /// Positions that the log has.
    pub head: u64,
    /// Streams that stopped, each with the event that cannot be read.
    pub stopped: Vec<String>,
}

/// What a comparison with a fresh fold found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The hash of the rows that are shown; `None` when none are.
    pub live: Option<String>,
    /// The hash of the rows that were folded anew.
    pub fresh: String,
    /// Positions of the log that both have read.
    pub done: u64,
}

impl Compared {
    /// Whether both say the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.live.as_ref() == Some(&self.fresh)
    }
}

/// The models of a house, and where their rows are kept.
#[derive(Clone)]
pub struct Library {
    /// Where the events are.
    pub store: Arc<dyn Store>,
    /// Where the rows are.
    pub models: Arc<dyn ReadModels>,
    /// The models.
    pub projections: Vec<Arc<dyn Projection>>,
    /// Lanes of every group.
    pub lanes: u16,
}

impl Library {
    /// A model by name.
    #[must_use]
    pub fn projection(&self, model: &str) -> Option<&Arc<dyn Projection>> {
        self.projections.iter().find(|projection| projection.name() == model)
    }

    /// The generation of a model that is shown; `None` before its first was built, or while it is of another shape.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn live(&self, projection: &dyn Projection) -> Result<Option<Generation>, StoreError> {
        let known = self.models.generations(projection.name()).await?;
        let live = known.into_iter().find(|one| is_live(one, projection));
        Ok(live.map(|one| Generation { model: Name::from(projection.name()), number: one.number }))
    }

    /// Goes on with a generation of a model.
    ///
    /// # Errors
    /// As [`Keeper::open`].
    pub async fn keeper(
        &self,
        projection: &Arc<dyn Projection>,
        generation: Generation,
    ) -> Result<Keeper, StoreError> {
        let (store, models) = (Arc::clone(&self.store), Arc::clone(&self.models));
        Keeper::open(store, models, Arc::clone(projection), generation, self.lanes).await
    }

    /// Where every model stands.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut all = Vec::with_capacity(self.projections.len());
        for projection in &self.projections {
            all.push(self.listed(projection).await?);
        }
        Ok(all)
    }

    async fn listed(&self, projection: &Arc<dyn Projection>) -> Result<Listed, StoreError> {
        let known = self.models.generations(projection.name()).await?;
        let building = known.iter().find(|one| one.stage == Stage::Building).map(|one| one.number);
        let live = self.live(projection.as_ref()).await?;
        let checkpoint = match &live {
            Some(live) => self.models.checkpoint(live).await?,
            None => Checkpoint::default(),
        };
        let lanes = projection
            .groups()
            .iter()
            .flat_map(|group| (0..self.lanes).map(|lane| crate::message::GroupLane::new(group, lane)));
        let heads = self.store.heads(&lanes.collect::<Vec<_>>()).await?;
        let stopped = match &live {
            Some(live) => self.stopped(live).await?,
            None => Vec::new(),
        };
        Ok(Listed {
            model: projection.name(),
            live: live.map(|live| live.number),
            building,
            done: checkpoint.cursors.iter().map(|(_, at)| at).sum(),
            head: heads.iter().sum(),
            stopped,
        })
    }

    /// The streams that a generation cannot follow any more, each with the event that it stopped before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn stopped(&self, generation: &Generation) -> Result<Vec<String>, StoreError> {
        let scan = Scan { by: By::Key, prefix: key::STOPPED, after: None, limit: 1_000 };
        let rows = self.models.scan(generation, scan).await?;
        Ok(rows.iter().map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect())
    }

    /// The row of a subject in the rows that are shown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn subject(&self, projection: &dyn Projection, id: &str) -> Result<Option<Row>, StoreError> {
        let Some(live) = self.live(projection).await? else { return Ok(None) };
        let rows = self.models.rows(&live, &[key::subject(id)]).await?;
        Ok(rows.into_iter().flatten().next())
    }

    /// Begins to build a model anew, or goes on with a build that was killed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn rebuild(&self, projection: &Arc<dyn Projection>) -> Result<Rebuild, StoreError> {
        let generation = self.models.begin(projection.name(), projection.shape()).await?;
        let keeper = match self.keeper(projection, generation.clone()).await {
            Err(StoreError::Unfit(_)) => {
                self.models.abandon(&generation).await?;
                let generation = self.models.begin(projection.name(), projection.shape()).await?;
                self.keeper(projection, generation).await?
            }
            keeper => keeper?,
        };
        let resumed = self.models.checkpoint(keeper.generation()).await?;
        let resumed = resumed.cursors.iter().map(|(_, at)| at).sum();
        Ok(Rebuild { library: self.clone(), projection: Arc::clone(projection), keeper, resumed })
    }

    /// Brings the rows of a model that are shown up to date, and builds its first ones where there are none. Says how far that
    /// came. For who asks while no loop keeps them.
    ///
    /// # Errors
    /// As [`Keeper::step`].
    pub async fn refresh(&self, projection: &Arc<dyn Projection>) -> Result<Progress, StoreError> {
        if let Some(live) = self.live(projection.as_ref()).await? {
            let mut keeper = self.keeper(projection, live).await?;
            loop {
                let progress = keeper.step(BATCH).await?;
                if progress.caught_up {
                    return Ok(progress);
                }
            }
        }
        let mut rebuild = self.rebuild(projection).await?;
        loop {
            let progress = rebuild.step(BATCH).await?;
            if progress.caught_up {
                rebuild.publish().await?;
                return Ok(progress);
            }
        }
    }

    /// Removes the rows of a model's generations that are gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn discard(&self, model: &str) -> Result<(), StoreError> {
        while self.models.discard(model, DISCARD).await? > 0 {}
        Ok(())
    }
}

fn is_live(standing: &Standing, projection: &dyn Projection) -> bool {
    standing.stage == Stage::Live && standing.shape == projection.shape()
}

/// A model that is being folded anew, beside the rows that are shown.
pub struct Rebuild {
    library: Library,
    projection: Arc<dyn Projection>,
    keeper: Keeper,
    /// How far an earlier build had come that this one goes on with.
    pub resumed: u64,
}

impl Rebuild {
    /// Folds and saves the next batch of at most `most` events.
    ///
    /// # Errors
    /// As [`Keeper::step`].
    pub async fn step(&mut self, most: usize) -> Result<Progress, StoreError> {
        self.keeper.step(most).await
    }

    /// Compares with the rows that are shown, once both have read the same.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the rows that are shown do not stand still long enough. Else as [`Keeper::step`].
    pub async fn compare(&mut self) -> Result<Compared, StoreError> {
        for _ in 0..COMPARES {
            while !self.keeper.step(BATCH).await?.caught_up {}
            let fresh = self.keeper.generation().clone();
            let Some(live) = self.library.live(self.projection.as_ref()).await? else {
                let done = self.keeper.step(BATCH).await?.done;
                return Ok(Compared { live: None, fresh: self.hash(&fresh).await?, done });
            };
            let follows = self.catch_up(&live).await?;
            let before = (self.read(&live).await?, self.read(&fresh).await?);
            let (live_hash, fresh_hash) = (self.hash(&live).await?, self.hash(&fresh).await?);
            let still = before == (self.read(&live).await?, self.read(&fresh).await?);
            if !follows || (still && before.0.1 == before.1.1) {
                let done = before.1.1.values().sum();
                return Ok(Compared { live: Some(live_hash), fresh: fresh_hash, done });
            }
        }
        Err(StoreError::Conflict)
    }

    /// Shows the new rows in the place of the old, and removes those.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is gone; [`StoreError::Unavailable`].
    pub async fn publish(&self) -> Result<Generation, StoreError> {
        let generation = self.keeper.generation().clone();
        self.library.models.publish(&generation).await?;
        self.library.discard(self.projection.name()).await?;
        Ok(generation)
    }

    /// Gives up the new rows; what is shown stays.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn abandon(self) -> Result<(), StoreError> {
        self.library.models.abandon(self.keeper.generation()).await?;
        self.library.discard(self.projection.name()).await
    }

    async fn hash(&self, generation: &Generation) -> Result<String, StoreError> {
        generation_hash(self.library.models.as_ref(), generation).await
    }

    async fn read(&self, generation: &Generation) -> Result<(u64, BTreeMap<String, u64>), StoreError> {
        let Checkpoint { saves, cursors } = self.library.models.checkpoint(generation).await?;
        let cursors = cursors.into_iter().filter(|(_, at)| *at > 0);
        Ok((saves, cursors.map(|(lane, at)| (lane.to_string(), at)).collect()))
    }

    /// Brings the rows that are shown up to date, unless somebody else is doing so; says whether they can follow the log at
    /// all: those that are ahead of it, or cannot be read, never will.
    async fn catch_up(&self, live: &Generation) -> Result<bool, StoreError> {
        let caught_up = async {
            let mut keeper = self.library.keeper(&self.projection, live.clone()).await?;
            while !keeper.step(BATCH).await?.caught_up {}
            Ok(())
        };
        match caught_up.await {
            Ok(()) | Err(StoreError::Conflict) => Ok(true),
            Err(StoreError::Unfit(_) | StoreError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
