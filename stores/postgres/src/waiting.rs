//! What is in flight, for the story and for people.

use crate::{
    alarm,
    book::Book,
    known::Known,
    pipe::{Steps, params},
    rows::{Columns, cap, sender_of},
};
use oms_core::{
    clock::Timestamp,
    gateway::EffectKey,
    message::key_hash,
    store::{
        StoreError, Waiting,
        marks::{BURIED, LEFT, Marks, PARKED, key_at},
        wire::unpack_message,
    },
};
use tokio_postgres::Row;

const OWED: &str = "SELECT hearer, pack, topic, since, marks, keys FROM owed
    WHERE $1::bytea IS NULL OR position($1 IN keys) > 0 ORDER BY hearer, pack LIMIT $2";
const PARKED_ROWS: &str = "SELECT seq, hearer, message, error, attempts, next FROM parked
    WHERE $1::text IS NULL OR key = $1 ORDER BY seq LIMIT $2";
const EFFECTS: &str = "SELECT ord, step, attempt, lane, gateway FROM effect
    WHERE $1::text IS NULL OR ord = $1 ORDER BY ord, step, attempt LIMIT $2";

/// Everything of a key, or everything, at most `limit`: messages, wishes, deadlines.
pub(crate) async fn list(known: &Known, key: Option<&str>, limit: usize) -> Result<Vec<Waiting>, StoreError> {
    let (text, most) = (key.map(str::to_owned), cap(limit));
    let hash = key.map(key_hash);
    let bytes = hash.map(|hash| hash.to_be_bytes().to_vec());
    let mut steps = Steps::default();
    // Four bytes are found in the middle of two keys as well: of one key all are read, and looked at.
    let owed = steps.push(OWED, params![bytes, if key.is_some() { i64::MAX } else { most }]);
    let parked = steps.push(PARKED_ROWS, params![text.clone(), most]);
    let effects = steps.push(EFFECTS, params![text.clone(), most]);
    let alarms = steps.push(alarm::WAITING, params![text, most]);
    let answers = steps.snapshot(&known.link.client().await?).await?;
    let lanes = answers.of(owed).iter().flat_map(|row| {
        let pack = row.try_get(1).ok().map(sender_of);
        row.try_get(0).ok().into_iter().chain(pack)
    });
    let book = known.book_with(lanes.collect::<Vec<i32>>().into_iter()).await?;
    let mut waiting = Vec::new();
    for row in answers.of(owed) {
        waiting.extend(owed_row(row, &book, hash)?);
    }
    for row in answers.of(parked) {
        waiting.push(parked_row(row, &book)?);
    }
    for row in answers.of(effects) {
        waiting.push(effect_row(row, &book, known)?);
    }
    for row in answers.of(alarms) {
        waiting.extend(alarm_row(row, &book, key)?);
    }
    waiting.truncate(limit);
    Ok(waiting)
}

fn owed_row(row: &Row, book: &Book, hash: Option<u32>) -> Result<Option<Waiting>, StoreError> {
    let mut row = Columns::of(row);
    let (lane, pack) = (book.name(row.get()?), book.pack(row.get()?));
    let (topic, since) = (row.name()?, row.time()?);
    let marks: Option<&[u8]> = row.get()?;
    let keys: &[u8] = row.get()?;
    let marks = Marks::read(keys, marks);
    let there = marks.places(&[LEFT, PARKED, BURIED]);
    let is_own = |hash| there.iter().any(|place| key_at(keys, *place) == Some(hash));
    let (left, marked) = (marks.places(&[LEFT]).len(), marks.places(&[PARKED, BURIED]).len());
    let waiting = Waiting::Owed { lane, pack, topic, since, left, marked };
    Ok(Some(waiting).filter(|_| hash.is_none_or(is_own)))
}

fn parked_row(row: &Row, book: &Book) -> Result<Waiting, StoreError> {
    let mut row = Columns::of(row);
    let (seq, lane, message) = (row.number()?, book.name(row.get()?), unpack_message(&row.bytes()?)?);
    let (error, attempts) = (row.name()?, row.small()?);
    let next = row.get::<Option<i64>>()?.map(Timestamp);
    Ok(Waiting::Parked { seq, lane, message, error, attempts, next })
}

fn effect_row(row: &Row, book: &Book, known: &Known) -> Result<Waiting, StoreError> {
    let mut row = Columns::of(row);
    let key = EffectKey { order: row.name()?, step: row.name()?, attempt: row.small()? };
    let (lane, gateway) = (book.name(row.get()?), row.name()?);
    let claimed = !known.hand().is_fresh(&key);
    Ok(Waiting::Effect { lane, key, gateway, claimed })
}

/// The deadline of a stream that has an alarm, unless it was cleared, or is another key's.
fn alarm_row(row: &Row, book: &Book, key: Option<&str>) -> Result<Option<Waiting>, StoreError> {
    let alarm = alarm::read(row)?;
    let deadline = alarm.deadline.as_ref().filter(|deadline| key.is_none_or(|key| &*deadline.key == key));
    Ok(deadline.map(|deadline| Waiting::Deadline {
        lane: alarm::lane_of(deadline, book.lanes),
        stream: alarm.stream.clone(),
        look: alarm.true_look(deadline),
    }))
}
