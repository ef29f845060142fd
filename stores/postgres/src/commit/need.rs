//! The rows that a commit needs beside those that its turn has read.

use super::plan::{Read, There};
use crate::{
    alarm,
    known::Known,
    letters::{self, asides},
    pipe::{Param, Steps, params},
    rows::{Columns, int, pack_row},
    streams,
};
use oms_core::{
    gateway::EffectKey,
    id::StreamId,
    store::{Consumed, StoreError, Writes, marks::Marks},
};

/// Owed rows of a lane: those of packs (`$2`), and those that parked messages (`$3`) and dead letters (`$4`) came from.
const OWED: &str =
    "SELECT pack, marks, keys FROM owed WHERE hearer = $1 AND pack IN (SELECT unnest($2::bigint[])
    UNION ALL SELECT pack FROM parked WHERE hearer = $1 AND seq = ANY ($3::bigint[])
    UNION ALL SELECT pack FROM dead WHERE hearer = $1 AND number = ANY ($4::bigint[]))";

/// Those of these wishes that still stand in the lanes beside them (`$1`).
pub(crate) const STANDING: &str = "SELECT effect.lane, ord, step, attempt
    FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[]) AS asked (lane, ord, step, attempt)
    JOIN effect USING (ord, step, attempt) WHERE effect.lane = asked.lane";

/// The parameters of [`STANDING`].
pub(crate) fn standing(keys: &[(i32, &EffectKey)]) -> Vec<Param> {
    let lanes: Vec<i32> = keys.iter().map(|(lane, _)| *lane).collect();
    let orders: Vec<String> = keys.iter().map(|(_, key)| key.order.to_string()).collect();
    let steps: Vec<String> = keys.iter().map(|(_, key)| key.step.to_string()).collect();
    let attempts: Vec<i32> =
        keys.iter().map(|(_, key)| i32::try_from(key.attempt).unwrap_or(i32::MAX)).collect();
    params![lanes, orders, steps, attempts]
}

/// Reads a row of [`STANDING`].
pub(crate) fn key(row: &tokio_postgres::Row) -> Result<(i32, EffectKey), StoreError> {
    let mut row = Columns::of(row);
    let lane = row.get()?;
    Ok((lane, EffectKey { order: row.name()?, step: row.name()?, attempt: row.small()? }))
}

/// What is missing.
#[derive(Default)]
struct Missing {
    packs: Vec<i64>,
    parked: Vec<i64>,
    dead: Vec<i64>,
    alarms: Vec<StreamId>,
    effects: Vec<EffectKey>,
    heads: Vec<StreamId>,
}

impl Missing {
    fn find(read: &Read, there: &There, writes: &Writes) -> Self {
        let mut missing = Self::default();
        for consumed in &writes.consumed {
            missing.consumed(read, there, consumed);
        }
        let judged = writes.judged.iter().map(|(number, _)| int(*number));
        missing.dead.extend(judged.filter(|number| !there.dead.contains_key(number)));
        let streams = writes.streams.iter().map(|write| &write.stream);
        missing.heads.extend(streams.filter(|stream| !there.heads.contains_key(*stream)).cloned());
        missing
    }

    fn consumed(&mut self, read: &Read, there: &There, consumed: &Consumed) {
        match consumed {
            Consumed::Owed { pack, .. } => {
                let row = read.book.ids.get(&pack.sender).map(|sender| pack_row(*sender, pack.position));
                self.packs.extend(row.filter(|row| !there.owed.contains_key(row)));
            }
            Consumed::Released { seq, .. } => {
                self.parked.extend(Some(int(*seq)).filter(|seq| !there.parked.contains_key(seq)));
            }
            Consumed::Redriven { number, .. } => {
                self.dead.extend(Some(int(*number)).filter(|number| !there.dead.contains_key(number)));
            }
            Consumed::Due { stream, .. } => {
                self.alarms.extend(Some(stream.clone()).filter(|stream| !there.alarms.contains_key(stream)));
            }
            Consumed::Answered { effect, .. } => {
                self.effects.extend(Some(effect.clone()).filter(|key| !there.effects.contains(key)));
            }
        }
    }

    /// Where messages that were put aside came from is read with them.
    fn came_from(&mut self, there: &There) {
        let aside = there.parked.values().chain(there.dead.values());
        let origins = aside.filter_map(|aside| aside.origin).map(|(pack, _)| pack);
        self.packs.extend(origins.filter(|pack| !there.owed.contains_key(pack)));
    }

    fn is_empty(&self) -> bool {
        self.packs.is_empty()
            && self.parked.is_empty()
            && self.dead.is_empty()
            && self.alarms.is_empty()
            && self.effects.is_empty()
            && self.heads.is_empty()
    }
}

/// Reads what is missing. Whatever has changed since the turn began has moved its lane on: the commit finds that out.
pub(crate) async fn complete(
    known: &Known,
    read: &Read,
    there: &mut There,
    writes: &Writes,
) -> Result<(), StoreError> {
    for write in &writes.streams {
        if let Some(head) = known.heads().at(&write.stream, write.expected) {
            there.heads.entry(write.stream.clone()).or_insert(head);
        }
    }
    let mut missing = Missing::find(read, there, writes);
    missing.came_from(there);
    if missing.is_empty() {
        return Ok(());
    }
    let mut steps = Steps::default();
    let Missing { packs, parked, dead, alarms, effects, heads } = missing;
    let aside = !(packs.is_empty() && parked.is_empty() && dead.is_empty());
    let owed = steps.push_if(aside, OWED, || params![read.id, packs, parked.clone(), dead.clone()]);
    let parked =
        steps.push_if(!parked.is_empty(), letters::RELEASED, || params![read.id, parked, None::<i64>]);
    let dead = steps.push_if(!dead.is_empty(), letters::LETTERS, || params![read.id, dead]);
    let alarms = steps.push_if(!alarms.is_empty(), alarm::OF_STREAMS, || streams::asked(&alarms));
    let effects = steps.push_if(!effects.is_empty(), STANDING, || {
        standing(&effects.iter().map(|key| (read.id, key)).collect::<Vec<_>>())
    });
    let heads = steps.push_if(!heads.is_empty(), streams::HEADS, || streams::asked(&heads));
    let answers = steps.snapshot(&known.link.client().await?).await?;
    for row in answers.of_some(owed) {
        let mut row = Columns::of(row);
        let pack = row.get()?;
        let marks: Option<&[u8]> = row.get()?;
        there.owed.insert(pack, Marks::read(row.get()?, marks));
    }
    there.parked.extend(asides(answers.of_some(parked))?);
    there.dead.extend(asides(answers.of_some(dead))?);
    for row in answers.of_some(alarms) {
        let alarm = alarm::read(row)?;
        there.alarms.insert(alarm.stream.clone(), alarm);
    }
    for row in answers.of_some(effects) {
        there.effects.insert(key(row)?.1);
    }
    for row in answers.of_some(heads) {
        let (stream, head) = streams::head(row)?;
        there.heads.insert(stream, head);
    }
    Ok(())
}
