//! The subjects in hand: read once, changed in memory, and written together.

use super::{
    fold::Projection,
    key,
    port::{Generation, Marks, ReadModels, Row, Save},
    shares::{Figures, Shares},
    subject::{Heard, Subject},
};
use crate::{
    id::{Name, Table, read_json, write_json},
    store::{Recorded, StoreError},
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc};

/// How many subjects are kept from one save to the next: twice as many are in memory at most, beside those that are new.
const KEPT: usize = 20_000;

struct Held {
    subject: Box<dyn Subject>,
    /// What it counts for in the rows as they were saved; looked up when it is first changed after that.
    counted: Option<Shares>,
}

/// What is in hand of one generation.
pub(super) struct Hand {
    projection: Arc<dyn Projection>,
    generation: Generation,
    young: Table<Name, Held>,
    old: Table<Name, Held>,
    dirty: Vec<Name>,
    /// The sums as they were saved, as far as they were asked for.
    sums: Table<String, Figures>,
    stopped: Vec<Row>,
}

impl Hand {
    pub(super) fn new(projection: Arc<dyn Projection>, generation: Generation) -> Self {
        let (young, old, sums) = (Table::default(), Table::default(), Table::default());
        Self { projection, generation, young, old, dirty: Vec::new(), sums, stopped: Vec::new() }
    }

    /// Brings subjects that are not in the hand into it, all in one look.
    pub(super) async fn fetch(
        &mut self,
        models: &dyn ReadModels,
        wanted: BTreeSet<Name>,
    ) -> Result<(), StoreError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let keys: Vec<Name> = wanted.iter().map(|id| key::subject(id)).collect();
        let rows = models.rows(&self.generation, &keys).await?;
        for (id, row) in wanted.into_iter().zip(rows) {
            let subject = match row {
                Some(row) => self.projection.resume(&id, &row.body).map_err(StoreError::refused)?,
                None => self.projection.begin(&id),
            };
            let counted = None;
            self.young.insert(id, Held { subject, counted });
        }
        Ok(())
    }

    /// The place of a stream's kind among the model's.
    pub(super) fn kind(&self, kind: &str) -> Option<usize> {
        self.projection.kinds().iter().position(|known| *known == kind)
    }

    /// Whether a subject is in the hand; one of the last save's is taken up again.
    pub(super) fn has(&mut self, id: &Name) -> bool {
        if self.young.contains_key(id) {
            return true;
        }
        let held = self.old.remove(id);
        held.is_some_and(|held| self.young.insert(Name::clone(id), held).is_none())
    }

    /// Lets the event's subject hear it; `None` when that is not in the hand.
    pub(super) fn hear(&mut self, kind: usize, recorded: &Recorded) -> Option<Heard> {
        let held = self.young.get_mut(&recorded.stream.id)?;
        let counted = held.counted.is_none().then(|| held.subject.shares());
        let heard = held.subject.hear(kind, recorded);
        match &heard {
            Heard::Known | Heard::Early => return Some(heard),
            Heard::Stopped(why) => self.stopped.push(stopped(recorded, why)),
            Heard::Applied => {}
        }
        self.touch(&recorded.stream.id, counted);
        Some(heard)
    }

    /// Stops a stream of which an event is missing.
    pub(super) fn stop(&mut self, kind: usize, recorded: &Recorded, why: String) {
        let Some(held) = self.young.get_mut(&recorded.stream.id) else { return };
        let counted = held.counted.is_none().then(|| held.subject.shares());
        self.stopped.push(stopped(recorded, &why));
        held.subject.stop(kind, why);
        self.touch(&recorded.stream.id, counted);
    }

    /// The version up to which a stream is in its subject.
    pub(super) fn version(&self, kind: usize, id: &Name) -> u64 {
        self.young.get(id).map_or(0, |held| held.subject.version(kind))
    }

    /// How many subjects are to be written.
    pub(super) fn dirty(&self) -> usize {
        self.dirty.len()
    }

    fn touch(&mut self, id: &Name, counted: Option<Shares>) {
        let Some(counted) = counted else { return };
        self.dirty.push(Name::clone(id));
        if let Some(held) = self.young.get_mut(id) {
            held.counted = Some(counted);
        }
    }

    /// All that is to be written; the hand is clean then. When it could not be written, the hand must be thrown away.
    pub(super) async fn save(&mut self, models: &dyn ReadModels) -> Result<Save, StoreError> {
        let (mut save, mut change) = (Save::default(), Shares::default());
        save.rows.append(&mut self.stopped);
        for id in self.dirty.drain(..) {
            let Some(held) = self.young.get_mut(&id) else { continue };
            let Some(counted) = held.counted.take() else { continue };
            change.join(&held.subject.shares(), 1);
            change.join(&counted, -1);
            let body = held.subject.body().map_err(StoreError::refused)?;
            save.rows.push(Row { key: key::subject(&id), marks: held.subject.marks(), body });
        }
        self.add_sums(models, &change, &mut save).await?;
        if self.young.len() > KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        Ok(save)
    }

    async fn add_sums(
        &mut self,
        models: &dyn ReadModels,
        change: &Shares,
        save: &mut Save,
    ) -> Result<(), StoreError> {
        let unknown: Vec<&str> =
            change.iter().map(|(sum, _)| sum).filter(|sum| !self.sums.contains_key(*sum)).collect();
        if !unknown.is_empty() {
            let keys: Vec<Name> = unknown.iter().map(|sum| key::sum(sum)).collect();
            let rows = models.rows(&self.generation, &keys).await?;
            for (sum, row) in unknown.into_iter().zip(rows) {
                let figures = row.map(|row| read_json(&row.body)).transpose().map_err(StoreError::refused)?;
                self.sums.insert(sum.to_owned(), figures.unwrap_or_default());
            }
        }
        for (sum, figures) in change.iter() {
            let mut all = Shares::default();
            all.sum(sum, self.sums.get(sum).unwrap_or(&Figures::new()));
            all.sum(sum, figures);
            let figures = all.iter().next().map(|(_, figures)| figures.clone()).unwrap_or_default();
            if figures.is_empty() {
                save.gone.push(key::sum(sum));
            } else {
                let body = write_json(&figures).map_err(StoreError::refused)?;
                save.rows.push(Row { key: key::sum(sum), marks: Marks::default(), body });
            }
            self.sums.insert(sum.to_owned(), figures);
        }
        Ok(())
    }
}

fn stopped(recorded: &Recorded, why: &str) -> Row {
    let key = key::stopped(&recorded.stream.kind, &recorded.stream.id);
    Row { key, marks: Marks::default(), body: Bytes::copy_from_slice(why.as_bytes()) }
}
