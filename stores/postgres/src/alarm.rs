//! Alarms: one row per stream with a deadline, moved lazily; the deadline itself stands on the stream's newest row.

use crate::{
    book::Book,
    lent::Lent,
    link::Link,
    pipe::{Steps, params},
    rows::{Columns, columns, int, micros, pack_row},
};
use oms_core::{
    clock::Timestamp,
    id::Name,
    message::{GroupLane, Key},
    store::{
        Deadline, StoreError, StreamId,
        marks::{LEFT, Marks, PARKED, key_at},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;

/// One alarm row, with the deadline that stands now and the time at which it was set.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) stream: StreamId,
    pub(crate) hearer: i32,
    pub(crate) look: Timestamp,
    pub(crate) set_at: u64,
    /// Whether the deadline's clock runs: what it waits for was heard.
    pub(crate) started: bool,
    pub(crate) fired: u64,
    /// The deadline's key, where that is not the stream's id.
    key: Option<Name>,
    pub(crate) deadline: Option<Deadline>,
    set: Timestamp,
}

macro_rules! alarms {
    ($from:literal) => {
        concat!(
            "SELECT alarm.kind, alarm.stream, alarm.rank, hearer, look, set_at, started, fired, key, newest.deadline, ",
            "coalesce((SELECT time FROM event WHERE event.kind = alarm.kind AND event.stream = alarm.stream ",
            "AND event.rank = alarm.rank AND event.version >= (newest.deadline::json ->> 'set_at')::bigint ",
            "ORDER BY event.after LIMIT 1), 0) FROM ",
            $from,
            " CROSS JOIN LATERAL (SELECT deadline FROM event WHERE event.kind = alarm.kind AND event.stream = alarm.stream ",
            "AND event.rank = alarm.rank ORDER BY event.after DESC LIMIT 1) AS newest"
        )
    };
}

/// The alarms of streams.
pub(crate) const OF_STREAMS: &str = alarms!(
    "unnest($1::text[], $2::text[], $3::smallint[]) AS asked (kind, stream, rank) JOIN alarm USING (kind, stream, rank)"
);

/// The alarms of lanes that are to be looked at now, the first ones.
pub(crate) const RIPE: &str = alarms!(
    "(SELECT * FROM alarm WHERE hearer = ANY ($1::integer[]) AND look <= moment($2) ORDER BY look LIMIT $3) AS alarm"
);

/// When the next alarm of lanes is to be looked at, and what time it is: one look for each lane, however many alarms wait.
pub(crate) const NEXT: &str = "SELECT min(next.look), moment($2) FROM unnest($1::integer[]) AS asked (hearer) CROSS JOIN LATERAL (SELECT look FROM alarm WHERE alarm.hearer = asked.hearer AND look > moment($2) ORDER BY look LIMIT 1) AS next";

/// The alarms of a key, or all.
pub(crate) const WAITING: &str = alarms!(
    "(SELECT * FROM alarm WHERE $1::text IS NULL OR coalesce(key, stream) = $1 ORDER BY kind, stream, rank LIMIT $2) AS alarm"
);

/// Where packs are owed, and what became of their places.
const AWAITED: &str = "SELECT hearer, pack, marks, keys FROM owed WHERE pack = ANY ($1::bigint[])";

/// The rows of lanes that may have a place of a key.
const KEYS: &str = "SELECT owed.hearer, asked.hash, owed.marks, owed.keys FROM unnest($1::integer[], $2::bytea[]) AS asked (hearer, hash)
    JOIN owed ON owed.hearer = asked.hearer AND position(asked.hash IN owed.keys) > 0";

/// Moves alarms that nobody has changed since they were read.
const MOVE: &str = "UPDATE alarm SET hearer = moved.hearer, look = moved.look, set_at = moved.set_at, started = moved.started,
        fired = moved.fired, key = moved.key
    FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::bigint[],
        $9::bigint[], $10::boolean[], $11::bigint[], $12::text[])
        AS moved (kind, stream, rank, old_look, old_set_at, old_fired, hearer, look, set_at, started, fired, key)
    WHERE alarm.kind = moved.kind AND alarm.stream = moved.stream AND alarm.rank = moved.rank
        AND alarm.look = old_look AND alarm.set_at = old_set_at AND alarm.fired = old_fired";

/// Removes alarms of deadlines that were cleared.
const CLEAR: &str =
    "DELETE FROM alarm USING unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[])
        AS old (kind, stream, rank, look, set_at)
    WHERE alarm.kind = old.kind AND alarm.stream = old.stream AND alarm.rank = old.rank
        AND alarm.look = old.look AND alarm.set_at = old.set_at";

/// The key of a deadline, where it is not the stream's id.
pub(crate) fn other_key(id: &StreamId, deadline: &Deadline) -> Option<Name> {
    (*deadline.key != *id.id).then(|| deadline.key.clone())
}

/// The lane that hears a deadline's firing.
pub(crate) fn lane_of(deadline: &Deadline, lanes: u16) -> GroupLane {
    GroupLane { group: deadline.group.clone(), lane: Key::new(deadline.key.clone()).lane(lanes) }
}

/// Reads a row of [`OF_STREAMS`], [`RIPE`] or [`WAITING`].
pub(crate) fn read(row: &Row) -> Result<Alarm, StoreError> {
    let mut row = Columns::of(row);
    let (stream, hearer, look, set_at) = (row.stream()?, row.get()?, row.time()?, row.number()?);
    let (started, fired) = (row.get()?, row.number()?);
    let key = row.get::<Option<&str>>()?.map(Name::from);
    let (deadline, set) = (row.deadline()?, row.time()?);
    Ok(Alarm { stream, hearer, look, set_at, started, fired, key, deadline, set })
}

impl Alarm {
    /// When its deadline is looked at in truth: a look that was left by an earlier one comes sooner, and changes nothing.
    pub(crate) fn true_look(&self, deadline: &Deadline) -> Timestamp {
        if self.set_at == deadline.set_at { self.look } else { self.set.after(deadline.delay) }
    }
}

/// What is still owed, as far as alarms wait for it.
#[derive(Default)]
pub(crate) struct Awaited {
    /// Places of packs that a lane has left or parked.
    places: BTreeSet<(i32, i64, u16)>,
    hearers: BTreeMap<i64, Vec<i32>>,
    /// Keys of which a lane has something left or parked.
    keys: BTreeSet<(i32, u32)>,
}

impl Awaited {
    /// Asks for all that these alarms may wait for, in one go.
    pub(crate) async fn ask(client: &Lent, book: &Book, alarms: &[Alarm]) -> Result<Self, StoreError> {
        let (mut packs, mut hearers, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        for (alarm, deadline) in alarms.iter().filter_map(|alarm| Some((alarm, alarm.deadline.as_ref()?))) {
            packs.extend(
                deadline
                    .waits_for
                    .as_ref()
                    .and_then(|wait| Some(pack_row(*book.ids.get(&wait.pack.sender)?, wait.pack.position))),
            );
            let hash = Key::new(deadline.key.clone()).hash().to_be_bytes().to_vec();
            hearers.push(book.ids.get(&lane_of(deadline, book.lanes)).copied().unwrap_or(alarm.hearer));
            hashes.push(hash);
        }
        let mut awaited = Self::default();
        if hearers.is_empty() {
            return Ok(awaited);
        }
        let mut steps = Steps::default();
        let places = steps.push_if(!packs.is_empty(), AWAITED, || params![packs]);
        let keys = steps.push(KEYS, params![hearers, hashes]);
        let answers = steps.snapshot(client).await?;
        for row in answers.of_some(places) {
            awaited.place(row)?;
        }
        for row in answers.of(keys) {
            awaited.key(row)?;
        }
        Ok(awaited)
    }

    fn place(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut row = Columns::of(row);
        let (hearer, pack): (i32, i64) = (row.get()?, row.get()?);
        let marks: Option<&[u8]> = row.get()?;
        let marks = Marks::read(row.get()?, marks);
        self.hearers.entry(pack).or_default().push(hearer);
        self.places.extend(marks.places(&[LEFT, PARKED]).into_iter().map(|place| (hearer, pack, place)));
        Ok(())
    }

    fn key(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut row = Columns::of(row);
        let hearer = row.get()?;
        let hash: &[u8] = row.get()?;
        let marks: Option<&[u8]> = row.get()?;
        let keys: &[u8] = row.get()?;
        let there = Marks::read(keys, marks).places(&[LEFT, PARKED]);
        let hash = key_at(hash, 0);
        if hash.is_some() && there.iter().any(|place| key_at(keys, *place) == hash) {
            self.keys.extend(hash.map(|hash| (hearer, hash)));
        }
        Ok(())
    }

    /// Whether the message that a deadline waits for is still owed to its group.
    fn is_awaited(&self, deadline: &Deadline, book: &Book) -> bool {
        let Some(wait) = &deadline.waits_for else { return false };
        let Some(sender) = book.ids.get(&wait.pack.sender) else { return false };
        let pack = pack_row(*sender, wait.pack.position);
        let mut hearers = self.hearers.get(&pack).into_iter().flatten();
        hearers.any(|hearer| {
            book.name(*hearer).group == wait.group && self.places.contains(&(*hearer, pack, wait.index))
        })
    }
}

/// What a look at a stream's alarm says.
pub(crate) enum Look {
    /// Its next firing is due.
    Due(Deadline, u64),
    /// Not yet, or no longer; with its row as it shall be, `None` to remove it.
    Moved(Option<Alarm>),
    /// Its time has not come.
    Waits,
}

/// Looks at an alarm (rule 3).
pub(crate) fn look(alarm: &Alarm, awaited: &Awaited, book: &Book, now: Timestamp) -> Look {
    if alarm.look > now {
        return Look::Waits;
    }
    let Some(deadline) = alarm.deadline.clone() else { return Look::Moved(None) };
    let mut alarm = alarm.clone();
    if alarm.set_at != deadline.set_at {
        alarm.hearer = book.ids.get(&lane_of(&deadline, book.lanes)).copied().unwrap_or(alarm.hearer);
        alarm.look = alarm.set.after(deadline.delay);
        (alarm.set_at, alarm.fired) = (deadline.set_at, 0);
        alarm.started = deadline.waits_for.is_none();
        alarm.key = other_key(&alarm.stream, &deadline);
        if alarm.look > now {
            return Look::Moved(Some(alarm));
        }
    }
    let look = now.after(deadline.delay);
    if awaited.is_awaited(&deadline, book) {
        return Look::Moved(Some(Alarm { look, ..alarm }));
    }
    let hash = Key::new(deadline.key.clone()).hash();
    if !alarm.started || awaited.keys.contains(&(alarm.hearer, hash)) {
        return Look::Moved(Some(Alarm { look, started: true, ..alarm }));
    }
    Look::Due(deadline, alarm.fired + 1)
}

/// Looks at ripe alarms and puts off those that must wait; gives those that are due, with their lanes.
pub(crate) async fn sweep(
    client: &Lent,
    link: &Link,
    book: &Book,
    (lanes, limit): (&[i32], i64),
) -> Result<(Vec<(StreamId, i32)>, Option<Timestamp>, Timestamp), StoreError> {
    let mut steps = Steps::default();
    let ripe = steps.push(RIPE, params![lanes.to_vec(), link.now(), limit]);
    let next = steps.push(NEXT, params![lanes.to_vec(), link.now()]);
    let answers = steps.snapshot(client).await?;
    let mut last = answers.of(next).iter();
    let (mut next, now) = match last.next() {
        Some(row) => {
            let mut row = Columns::of(row);
            (row.get::<Option<i64>>()?.map(Timestamp), row.time()?)
        }
        None => (None, Timestamp(0)),
    };
    let alarms: Vec<Alarm> = answers.of(ripe).iter().map(read).collect::<Result<_, _>>()?;
    if alarms.is_empty() {
        return Ok((Vec::new(), next, now));
    }
    let awaited = Awaited::ask(client, book, &alarms).await?;
    let (mut due, mut moved, mut cleared) = (Vec::new(), Vec::new(), Vec::new());
    for alarm in &alarms {
        match look(alarm, &awaited, book, now) {
            Look::Due(..) => due.push((alarm.stream.clone(), alarm.hearer)),
            Look::Moved(Some(to)) => {
                next = next.into_iter().chain([to.look]).min();
                moved.push((alarm, to));
            }
            Look::Moved(None) => cleared.push(alarm),
            Look::Waits => {}
        }
    }
    put_off(client, &moved, &cleared).await?;
    // Those behind are looked at next, as soon as some of these have made room.
    if alarms.len() as i64 == limit && due.len() < alarms.len() {
        next = Some(now);
    }
    Ok((due, next, now))
}

async fn put_off(client: &Lent, moved: &[(&Alarm, Alarm)], cleared: &[&Alarm]) -> Result<(), StoreError> {
    let of = |get: fn(&Alarm) -> i64| moved.iter().map(|(old, _)| get(old)).collect::<Vec<i64>>();
    let to = |get: fn(&Alarm) -> i64| moved.iter().map(|(_, new)| get(new)).collect::<Vec<i64>>();
    let mut steps = Steps::default();
    steps.push_if(!moved.is_empty(), MOVE, || {
        let (kinds, ids, ranks) = columns(moved.iter().map(|(old, _)| &old.stream));
        let hearers: Vec<i32> = moved.iter().map(|(_, new)| new.hearer).collect();
        let started: Vec<bool> = moved.iter().map(|(_, new)| new.started).collect();
        let keys: Vec<Option<String>> =
            moved.iter().map(|(_, new)| new.key.as_ref().map(Name::to_string)).collect();
        params![
            kinds,
            ids,
            ranks,
            of(|old| old.look.0),
            of(|old| int(old.set_at)),
            of(|old| int(old.fired)),
            hearers,
            to(|new| new.look.0),
            to(|new| int(new.set_at)),
            started,
            to(|new| int(new.fired)),
            keys
        ]
    });
    steps.push_if(!cleared.is_empty(), CLEAR, || {
        let (kinds, ids, ranks) = columns(cleared.iter().map(|old| &old.stream));
        let looks: Vec<i64> = cleared.iter().map(|old| old.look.0).collect();
        let set: Vec<i64> = cleared.iter().map(|old| int(old.set_at)).collect();
        params![kinds, ids, ranks, looks, set]
    });
    if moved.is_empty() && cleared.is_empty() {
        return Ok(());
    }
    steps.done(client).await.map(drop)
}

/// What a commit writes of a stream's alarm; `look` is from the moment of the commit.
pub(crate) struct Follow {
    pub(crate) stream: StreamId,
    pub(crate) hearer: i32,
    pub(crate) delay: i64,
    pub(crate) set_at: i64,
    pub(crate) started: bool,
    pub(crate) key: Option<String>,
}

impl Follow {
    pub(crate) fn new(stream: &StreamId, deadline: &Deadline, hearer: i32) -> Self {
        Self {
            stream: stream.clone(),
            hearer,
            delay: micros(deadline.delay),
            set_at: int(deadline.set_at),
            started: deadline.waits_for.is_none(),
            key: other_key(stream, deadline).as_ref().map(Name::to_string),
        }
    }
}

/// The number of the firing that comes next, where the alarm is that of the deadline that stands.
pub(crate) fn firing(alarm: &Alarm) -> Option<(u64, u64)> {
    let stands = alarm.deadline.as_ref().is_some_and(|deadline| deadline.set_at == alarm.set_at);
    stands.then_some((alarm.set_at, alarm.fired + 1))
}
