//! Read models in memory: gone with the process, and built anew by the next.

use super::port::{By, Checkpoint, Generation, MARKS, Marks, ReadModels, Row, Save, Scan, Stage, Standing};
use crate::{id::Name, message::GroupLane, store::StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Keeps read models in memory. Clones share them.
///
/// ```
/// use futures::FutureExt;
/// use oms_core::projection::model::{MemoryModels, ReadModels, Stage};
/// let models = MemoryModels::default();
/// let begun = models.begin("orders", 1).now_or_never().and_then(Result::ok);
/// let known = models.generations("orders").now_or_never().and_then(Result::ok).unwrap_or_default();
/// assert_eq!(begun.map(|begun| begun.number), known.first().map(|one| one.number));
/// assert_eq!(known[0].stage, Stage::Building);
/// ```
#[derive(Clone, Default)]
pub struct MemoryModels(Arc<Mutex<BTreeMap<Name, Shelf>>>);

#[derive(Default)]
struct Shelf {
    last: u64,
    generations: BTreeMap<u64, Kept>,
}

struct Kept {
    stage: Stage,
    shape: u32,
    saves: u64,
    cursors: BTreeMap<GroupLane, u64>,
    rows: BTreeMap<Name, (Marks, Bytes)>,
    marks: [BTreeMap<Name, Name>; MARKS],
}

impl Kept {
    fn new(shape: u32) -> Self {
        let (cursors, rows, marks) = (BTreeMap::new(), BTreeMap::new(), Default::default());
        Self { stage: Stage::Building, shape, saves: 0, cursors, rows, marks }
    }

    fn remove(&mut self, key: &Name) {
        let Some((marks, _)) = self.rows.remove(key) else { return };
        for (index, mark) in self.marks.iter_mut().zip(marks) {
            mark.map(|mark| index.remove(&mark));
        }
    }

    fn put(&mut self, row: Row) {
        let Row { key, marks, body } = row;
        match self.rows.get_mut(&key) {
            Some((old, kept)) if *old == marks => {
                *kept = body;
                return;
            }
            Some(_) => self.remove(&key),
            None => {}
        }
        for (index, mark) in self.marks.iter_mut().zip(&marks) {
            let mark = mark.as_ref().map(Name::clone);
            mark.map(|mark| index.insert(mark, Name::clone(&key)));
        }
        self.rows.insert(key, (marks, body));
    }

    fn row(&self, key: &Name) -> Option<Row> {
        let (marks, body) = self.rows.get(key)?;
        Some(Row { key: Name::clone(key), marks: marks.clone(), body: body.clone() })
    }

    fn scan(&self, scan: Scan<'_>) -> Vec<Row> {
        let from = match scan.after.filter(|after| *after >= scan.prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(scan.prefix),
        };
        let range = (from, Bound::Unbounded);
        match scan.by {
            By::Key => {
                let keys = self.rows.range::<str, _>(range).map(|(key, _)| key);
                let keys = keys.take_while(|key| key.starts_with(scan.prefix));
                keys.take(scan.limit).filter_map(|key| self.row(key)).collect()
            }
            By::Mark(number) => {
                let Some(index) = self.marks.get(number) else { return Vec::new() };
                let found = index.range::<str, _>(range);
                let found = found.take_while(|(mark, _)| mark.starts_with(scan.prefix));
                found.take(scan.limit).filter_map(|(_, key)| self.row(key)).collect()
            }
        }
    }
}

impl MemoryModels {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Name, Shelf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a generation that is not gone; `None` for one that is.
    fn with<T>(&self, generation: &Generation, act: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        let mut all = self.all();
        let kept = all.get_mut(&generation.model)?.generations.get_mut(&generation.number)?;
        (kept.stage != Stage::Gone).then(|| act(kept))
    }
}

#[async_trait]
impl ReadModels for MemoryModels {
    async fn generations(&self, model: &str) -> Result<Vec<Standing>, StoreError> {
        let all = self.all();
        let standing = |(number, kept): (&u64, &Kept)| Standing {
            number: *number,
            stage: kept.stage,
            shape: kept.shape,
            saves: kept.saves,
        };
        Ok(all.get(model).map(|shelf| shelf.generations.iter().map(standing).collect()).unwrap_or_default())
    }

    async fn begin(&self, model: &str, shape: u32) -> Result<Generation, StoreError> {
        let mut all = self.all();
        let model = Name::from(model);
        let shelf = all.entry(Name::clone(&model)).or_default();
        for (number, kept) in &mut shelf.generations {
            match kept.stage {
                Stage::Building if kept.shape == shape => return Ok(Generation { model, number: *number }),
                Stage::Building => kept.stage = Stage::Gone,
                Stage::Live | Stage::Gone => {}
            }
        }
        shelf.last += 1;
        shelf.generations.insert(shelf.last, Kept::new(shape));
        Ok(Generation { model, number: shelf.last })
    }

    async fn publish(&self, generation: &Generation) -> Result<(), StoreError> {
        let mut all = self.all();
        let shelf = all.get_mut(&generation.model).ok_or(StoreError::Conflict)?;
        let wanted = shelf.generations.get(&generation.number).ok_or(StoreError::Conflict)?;
        if wanted.stage == Stage::Gone {
            return Err(StoreError::Conflict);
        }
        for (number, kept) in &mut shelf.generations {
            match kept.stage {
                Stage::Live if *number != generation.number => kept.stage = Stage::Gone,
                Stage::Building if *number == generation.number => kept.stage = Stage::Live,
                Stage::Building | Stage::Live | Stage::Gone => {}
            }
        }
        Ok(())
    }

    async fn abandon(&self, generation: &Generation) -> Result<(), StoreError> {
        self.with(generation, |kept| {
            if kept.stage == Stage::Building {
                kept.stage = Stage::Gone;
            }
        });
        Ok(())
    }

    async fn discard(&self, model: &str, limit: usize) -> Result<usize, StoreError> {
        let mut all = self.all();
        let Some(shelf) = all.get_mut(model) else { return Ok(0) };
        let mut removed = 0;
        shelf.generations.retain(|_, kept| {
            while kept.stage == Stage::Gone && removed < limit && kept.rows.pop_first().is_some() {
                removed += 1;
            }
            kept.stage != Stage::Gone || !kept.rows.is_empty()
        });
        Ok(removed)
    }

    async fn checkpoint(&self, generation: &Generation) -> Result<Checkpoint, StoreError> {
        let read = |kept: &mut Kept| Checkpoint {
            saves: kept.saves,
            cursors: kept.cursors.iter().map(|(lane, at)| (lane.clone(), *at)).collect(),
        };
        self.with(generation, read).ok_or(StoreError::Conflict)
    }

    async fn rows(&self, generation: &Generation, keys: &[Name]) -> Result<Vec<Option<Row>>, StoreError> {
        let read = |kept: &mut Kept| keys.iter().map(|key| kept.row(key)).collect();
        Ok(self.with(generation, read).unwrap_or_else(|| vec![None; keys.len()]))
    }

    async fn scan(&self, generation: &Generation, scan: Scan<'_>) -> Result<Vec<Row>, StoreError> {
        Ok(self.with(generation, |kept| kept.scan(scan)).unwrap_or_default())
    }

    async fn save(&self, generation: &Generation, saves: u64, save: Save) -> Result<(), StoreError> {
        let write = |kept: &mut Kept| {
            if kept.saves != saves {
                return Err(StoreError::Conflict);
            }
            kept.saves += 1;
            kept.cursors.extend(save.cursors);
            save.gone.iter().for_each(|key| kept.remove(key));
            save.rows.into_iter().for_each(|row| kept.put(row));
            Ok(())
        };
        self.with(generation, write).unwrap_or(Err(StoreError::Conflict))
    }
}
