//! Several turns' questions as one: a statement for each kind of row, however many turns ask for it.

use super::question::{LANES, LaneRow, OfLane, Question, Reply, Told};
use crate::{
    alarm,
    commit::{STANDING, key, standing},
    heads::Heads,
    letters::{self, asides},
    owed::{self, AskedRow, OwedRow},
    pipe::{Answers, Param, Steps, params},
    rows::{Columns, cap},
    streams,
};
use oms_core::{
    gateway::EffectKey,
    id::StreamId,
    store::{StoreError, Stream},
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;

/// Questions with the places of their answers.
pub(super) struct Merged<'a> {
    questions: &'a [&'a Question],
    pub(super) steps: Steps,
    lanes: Option<usize>,
    asked: Option<usize>,
    fill: Option<usize>,
    /// Of each lane, the places of its parked messages and dead letters.
    few: BTreeMap<i32, (Option<usize>, Option<usize>)>,
    alarms: Option<usize>,
    standing: Option<usize>,
    streams: Option<usize>,
}

impl<'a> Merged<'a> {
    /// Each lane is asked about by one of them at most.
    pub(super) fn of(questions: &'a [&'a Question], now: Option<i64>) -> Self {
        let mut steps = Steps::default();
        let own: Vec<&OfLane> = questions.iter().filter_map(|question| question.lane.as_ref()).collect();
        let ids: Vec<i32> = own.iter().map(|lane| lane.id).collect();
        let few = own.iter().map(|lane| (lane.id, few(&mut steps, lane, now))).collect();
        let lanes = steps.push_if(!ids.is_empty(), LANES, || params![ids, now]);
        let asked =
            steps.push_if(own.iter().any(|lane| !lane.packs.is_empty()), owed::ASKED, || delivered(&own));
        let any = own.iter().any(|lane| !(lane.packs.is_empty() && lane.late.is_empty()));
        let fill = steps.push_if(any, owed::FILL, || wanted(&own));
        let due: BTreeSet<&StreamId> = own.iter().flat_map(|lane| &lane.alarms).collect();
        let alarms = steps.push_if(!due.is_empty(), alarm::OF_STREAMS, || streams::asked(due));
        let answered: Vec<(i32, &EffectKey)> =
            own.iter().flat_map(|lane| lane.answered.iter().map(|key| (lane.id, key))).collect();
        let standing = steps.push_if(!answered.is_empty(), STANDING, || standing(&answered));
        let all: BTreeSet<&StreamId> = questions.iter().flat_map(|question| &question.streams).collect();
        let streams = steps.push_if(!all.is_empty(), streams::NEWEST, || streams::asked(all));
        Self { questions, steps, lanes, asked, fill, few, alarms, standing, streams }
    }

    /// What each is told, in their order. A row that cannot be read is the trouble of those who asked for it.
    pub(super) fn replies(
        &self,
        answers: &Answers,
        heads: &mut Heads,
    ) -> Result<Vec<Result<Reply, StoreError>>, StoreError> {
        let mut rows = by_lane(answers.of_some(self.lanes), LaneRow::read)?;
        let mut asked = by_lane(answers.of_some(self.asked), AskedRow::read)?;
        let mut fill = by_lane(answers.of_some(self.fill), OwedRow::read)?;
        let alarms = by_stream(answers.of_some(self.alarms), alarm::read)?;
        let streams = by_stream(answers.of_some(self.streams), streams::newest)?;
        let mut standing: BTreeMap<i32, BTreeSet<EffectKey>> = BTreeMap::new();
        for row in answers.of_some(self.standing) {
            let (lane, key) = key(row)?;
            standing.entry(lane).or_default().insert(key);
        }
        for (id, _, head) in streams.values().flatten() {
            heads.learn(id, *head);
        }
        let replies = self.questions.iter().map(|question| {
            let mut reply = Reply::default();
            if let Some(lane) = &question.lane {
                let (released, redriven) = self.few.get(&lane.id).copied().unwrap_or_default();
                reply.lane = Told {
                    row: taken(&mut rows, lane.id)?.pop(),
                    asked: taken(&mut asked, lane.id)?,
                    fill: taken(&mut fill, lane.id)?,
                    released: asides(answers.of_some(released))?,
                    redriven: asides(answers.of_some(redriven))?,
                    alarms: found(&alarms, &lane.alarms)?
                        .into_iter()
                        .map(|(_, alarm)| alarm.clone())
                        .collect(),
                    standing: standing.remove(&lane.id).unwrap_or_default(),
                };
            }
            reply.streams = question.streams.iter().map(|id| (id.clone(), Stream::default())).collect();
            for (id, (_, stream, _)) in found(&streams, &question.streams)? {
                reply.streams.insert(id.clone(), stream.clone());
            }
            Ok(reply)
        });
        Ok(replies.collect())
    }
}

/// What few turns ask for is asked for each by itself: parked messages and dead letters.
fn few(steps: &mut Steps, lane: &OfLane, now: Option<i64>) -> (Option<usize>, Option<usize>) {
    let OfLane { id, released, redriven, .. } = lane;
    let parked =
        steps.push_if(!released.is_empty(), letters::RELEASED, || params![*id, released.clone(), now]);
    let dead = steps.push_if(!redriven.is_empty(), letters::LETTERS, || params![*id, redriven.clone()]);
    (parked, dead)
}

/// The parameters of [`owed::ASKED`].
fn delivered(lanes: &[&OfLane]) -> Vec<Param> {
    let (mut hearers, mut packs, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for (lane, (pack, digest)) in lanes.iter().flat_map(|lane| lane.packs.iter().map(|pack| (lane.id, pack)))
    {
        hearers.push(lane);
        packs.push(*pack);
        digests.push(digest.map(|digest| digest.to_be_bytes().to_vec()));
    }
    params![hearers, packs, digests]
}

/// The parameters of [`owed::FILL`].
fn wanted(lanes: &[&OfLane]) -> Vec<Param> {
    let (mut hearers, mut packs, mut given) = (Vec::new(), Vec::new(), Vec::new());
    let (mut messages, mut bytes) = (Vec::new(), Vec::new());
    for lane in lanes {
        let delivered = lane.packs.iter().map(|(pack, _)| (*pack, true));
        for (pack, is_given) in delivered.chain(lane.late.iter().map(|pack| (*pack, false))) {
            hearers.push(lane.id);
            packs.push(pack);
            given.push(is_given);
            messages.push(cap(lane.limit.messages.max(1)));
            bytes.push(cap(lane.limit.bytes));
        }
    }
    params![hearers, packs, given, messages, bytes]
}

/// Rows by the lane that they begin with. One that cannot be read is that lane's trouble.
type ByLane<T> = BTreeMap<i32, Result<Vec<T>, StoreError>>;

fn by_lane<T>(
    rows: &[Row],
    read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
) -> Result<ByLane<T>, StoreError> {
    let mut found = ByLane::new();
    for row in rows {
        let mut row = Columns::of(row);
        let own = found.entry(row.get()?).or_insert_with(|| Ok(Vec::new()));
        match (own.as_mut(), read(&mut row)) {
            (Ok(own), Ok(row)) => own.push(row),
            (Ok(_), Err(error)) => *own = Err(error),
            (Err(_), _) => {}
        }
    }
    Ok(found)
}

fn taken<T>(rows: &mut ByLane<T>, lane: i32) -> Result<Vec<T>, StoreError> {
    rows.remove(&lane).unwrap_or_else(|| Ok(Vec::new()))
}

/// Rows by the stream that they begin with.
type ByStream<T> = BTreeMap<StreamId, Result<T, StoreError>>;

fn by_stream<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<ByStream<T>, StoreError> {
    let named = |row: &Row| {
        let id = Columns::of(row).stream()?;
        let read = read(row).map_err(|error| StoreError::unavailable(Damaged(id.clone(), error)));
        Ok((id, read))
    };
    rows.iter().map(named).collect()
}

/// The newest row of a stream is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("the newest row of stream {0} cannot be read, and nothing of it goes on until it is mended: {1}")]
struct Damaged(StreamId, StoreError);

/// Those of streams that are there.
fn found<'a, T>(
    rows: &'a ByStream<T>,
    asked: impl IntoIterator<Item = &'a StreamId>,
) -> Result<Vec<(&'a StreamId, &'a T)>, StoreError> {
    let there = asked.into_iter().filter_map(|id| rows.get(id).map(|row| (id, row)));
    there.map(|(id, row)| row.as_ref().map(|row| (id, row)).map_err(StoreError::clone)).collect()
}
