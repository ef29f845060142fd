//! The rows that turns change, and the statements that change them: one for each table and kind of change, however many turns.

use crate::{
    alarm::{FOLLOW, Follow},
    pipe::{Steps, params},
    rows::{columns, int, rank},
};
use oms_core::{
    gateway::EffectKey,
    id::{Name, StreamId},
};

/// How a turn is held against what it read.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) lane: i32,
    pub(crate) version: i64,
    pub(crate) next: u64,
    pub(crate) epoch: Option<i64>,
    /// Whether nobody may take the lease meanwhile.
    pub(crate) firm: bool,
    /// How many rows of events it writes.
    pub(crate) events: i64,
}

pub(crate) struct EventRow {
    pub(crate) lane: i32,
    pub(crate) position: u64,
    pub(crate) part: i32,
    pub(crate) stream: StreamId,
    pub(crate) after: u64,
    pub(crate) version: u64,
    pub(crate) time: i64,
    pub(crate) schema: u16,
    pub(crate) fixed_at: Option<i64>,
    pub(crate) deadline: Option<String>,
    pub(crate) hash: u128,
    pub(crate) state: Vec<u8>,
    pub(crate) events: Vec<u8>,
    pub(crate) fixed: Option<Vec<u8>>,
}

pub(crate) struct PackRow {
    pub(crate) hearer: i32,
    pub(crate) pack: i64,
    pub(crate) topic: Name,
    pub(crate) keys: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Marked {
    pub(crate) hearer: i32,
    pub(crate) pack: i64,
    pub(crate) open: bool,
    pub(crate) marks: Option<Vec<u8>>,
}

pub(crate) struct WishRow {
    pub(crate) key: EffectKey,
    pub(crate) lane: i32,
    pub(crate) gateway: Name,
    pub(crate) stream: StreamId,
    pub(crate) cause: u128,
    pub(crate) request: Vec<u8>,
}

pub(crate) struct ParkedRow {
    pub(crate) hearer: i32,
    pub(crate) key: Name,
    pub(crate) origin: Option<(i64, u16)>,
    pub(crate) letter: Option<i64>,
    pub(crate) error: Name,
    pub(crate) attempts: u32,
    pub(crate) wait: Option<i64>,
    pub(crate) message: Vec<u8>,
}

pub(crate) struct DeadRow {
    pub(crate) hearer: i32,
    pub(crate) kind: Name,
    pub(crate) origin: Option<(i64, u16)>,
    pub(crate) error: Name,
    pub(crate) attempts: u32,
    pub(crate) message: Vec<u8>,
}

/// A row that was put aside before, with what went wrong this time.
pub(crate) struct Again {
    pub(crate) number: i64,
    pub(crate) error: Name,
    pub(crate) attempts: u32,
    pub(crate) wait: Option<i64>,
}

/// All that one turn changes.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) holds: Vec<Hold>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) packs: Vec<PackRow>,
    pub(crate) gone: Vec<(i32, i64)>,
    pub(crate) marked: Vec<Marked>,
    pub(crate) follows: Vec<Follow>,
    pub(crate) silenced: Vec<StreamId>,
    pub(crate) ended: Vec<EffectKey>,
    pub(crate) let_go: Vec<(EffectKey, i64, u128)>,
    pub(crate) wishes: Vec<WishRow>,
    pub(crate) released: Vec<i64>,
    pub(crate) parked_again: Vec<Again>,
    pub(crate) parked: Vec<ParkedRow>,
    pub(crate) states: Vec<(i64, i16)>,
    pub(crate) buried_again: Vec<Again>,
    pub(crate) dead: Vec<DeadRow>,
}

const HOLD: &str = "SELECT hold($1, $2, $3, $4, $5, $6)";
const EVENTS: &str = "INSERT INTO event (lane, position, part, kind, stream, rank, after, version, time, schema, fixed_at, deadline,
        hash, state, events, fixed)
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::smallint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::integer[], $11::bigint[], $12::text[], $13::bytea[], $14::bytea[], $15::bytea[], $16::bytea[])";
const PACKS: &str = "INSERT INTO owed (hearer, pack, topic, since, keys, bytes)
    SELECT hearer, pack, topic, moment($6), keys, bytes
        FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[]) AS new (hearer, pack, topic, keys, bytes)";
const GONE: &str = "DELETE FROM owed USING unnest($1::integer[], $2::bigint[]) AS old (hearer, pack)
    WHERE owed.hearer = old.hearer AND owed.pack = old.pack";
const MARKED: &str = "UPDATE owed SET open = new.open, marks = new.marks
    FROM unnest($1::integer[], $2::bigint[], $3::boolean[], $4::bytea[]) AS new (hearer, pack, open, marks)
    WHERE owed.hearer = new.hearer AND owed.pack = new.pack";
const SILENCED: &str =
    "DELETE FROM alarm USING unnest($1::text[], $2::text[], $3::smallint[]) AS old (kind, stream, rank)
    WHERE alarm.kind = old.kind AND alarm.stream = old.stream AND alarm.rank = old.rank";
const ENDED: &str =
    "DELETE FROM effect USING unnest($1::text[], $2::text[], $3::integer[]) AS old (ord, step, attempt)
    WHERE effect.ord = old.ord AND effect.step = old.step AND effect.attempt = old.attempt";
const LET_GO: &str = "UPDATE effect SET look = moment($6) + again, heard = new.heard, calls = 0
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bytea[]) AS new (ord, step, attempt, again, heard)
    WHERE effect.ord = new.ord AND effect.step = new.step AND effect.attempt = new.attempt";
const WISHES: &str = "INSERT INTO effect (ord, step, attempt, lane, gateway, kind, stream, rank, cause, request, look)
    SELECT *, moment($11) FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[],
        $8::smallint[], $9::bytea[], $10::bytea[]) ON CONFLICT DO NOTHING";
const RELEASED: &str = "DELETE FROM parked WHERE seq = ANY ($1::bigint[])";
const PARKED_AGAIN: &str =
    "UPDATE parked SET error = new.error, attempts = new.attempts, next = moment($5) + new.wait
    FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bigint[]) AS new (seq, error, attempts, wait)
    WHERE parked.seq = new.seq";
const PARKED: &str = "INSERT INTO parked (hearer, key, pack, place, letter, error, attempts, next, message)
    SELECT hearer, key, pack, place, letter, error, attempts, moment($10) + wait, message
        FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[], $7::integer[], $8::bigint[],
            $9::bytea[]) WITH ORDINALITY
            AS new (hearer, key, pack, place, letter, error, attempts, wait, message, number) ORDER BY number";
const STATES: &str =
    "UPDATE dead SET state = new.state FROM unnest($1::bigint[], $2::smallint[]) AS new (number, state)
    WHERE dead.number = new.number";
const BURIED_AGAIN: &str = "UPDATE dead SET error = new.error, attempts = new.attempts, time = moment($4), state = 0
    FROM unnest($1::bigint[], $2::text[], $3::integer[]) AS new (number, error, attempts) WHERE dead.number = new.number";
const DEAD: &str = "INSERT INTO dead (hearer, kind, pack, place, error, attempts, time, state, message)
    SELECT hearer, kind, pack, place, error, attempts, moment($8), 0, message
        FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::integer[], $5::text[], $6::integer[], $7::bytea[]) WITH ORDINALITY
            AS new (hearer, kind, pack, place, error, attempts, message, number) ORDER BY number";

/// One column of rows.
fn of<T, U>(rows: &[&T], get: impl Fn(&T) -> U) -> Vec<U> {
    rows.iter().map(|row| get(row)).collect()
}

/// The rows of one kind, of all turns.
fn all<'a, T>(turns: &[&'a Changes], rows: impl Fn(&'a Changes) -> &'a [T]) -> Vec<&'a T> {
    turns.iter().flat_map(|turn| rows(turn)).collect()
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The statements that write these turns, in the order in which they must run: first the lanes are held, and what must still be
/// there goes. Also which of them makes wishes, and how many.
pub(crate) fn steps(turns: &[&Changes], now: Option<i64>) -> (Steps, Option<(usize, u64)>) {
    let mut steps = Steps::default();
    hold(&mut steps, turns);
    owed_steps(&mut steps, turns, now);
    released_steps(&mut steps, turns, now);
    aside_steps(&mut steps, turns, now);
    let wishes = wish_steps(&mut steps, turns, now);
    stream_steps(&mut steps, turns, now);
    (steps, wishes)
}

fn hold(steps: &mut Steps, turns: &[&Changes]) {
    let holds = all(turns, |turn| &turn.holds);
    let firm: Vec<i32> = holds.iter().filter(|hold| hold.firm).map(|hold| hold.lane).collect();
    steps.push(
        HOLD,
        params![
            of(&holds, |hold| hold.lane),
            of(&holds, |hold| hold.version),
            of(&holds, |hold| int(hold.next)),
            of(&holds, |hold| hold.epoch),
            firm,
            of(&holds, |hold| hold.events)
        ],
    );
}

fn owed_steps(steps: &mut Steps, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.gone);
    steps.push_if(!rows.is_empty(), GONE, || params![of(&rows, |row| row.0), of(&rows, |row| row.1)]);
    let rows = all(turns, |turn| &turn.marked);
    steps.push_if(!rows.is_empty(), MARKED, || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.pack),
            of(&rows, |row| row.open),
            of(&rows, |row| row.marks.clone())
        ]
    });
    let rows = all(turns, |turn| &turn.packs);
    steps.push_if(!rows.is_empty(), PACKS, || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.pack),
            of(&rows, |row| row.topic.to_string()),
            of(&rows, |row| row.keys.clone()),
            of(&rows, |row| row.bytes.clone()),
            now
        ]
    });
}

/// What was put aside before.
fn released_steps(steps: &mut Steps, turns: &[&Changes], now: Option<i64>) {
    let again = |rows: &[&Again]| {
        let errors = of(rows, |row| row.error.to_string());
        (of(rows, |row| row.number), errors, of(rows, |row| signed(row.attempts)))
    };
    let rows = all(turns, |turn| &turn.released);
    steps.push_if(!rows.is_empty(), RELEASED, || params![of(&rows, |seq| *seq)]);
    let rows = all(turns, |turn| &turn.states);
    steps.push_if(!rows.is_empty(), STATES, || params![of(&rows, |row| row.0), of(&rows, |row| row.1)]);
    let rows = all(turns, |turn| &turn.parked_again);
    steps.push_if(!rows.is_empty(), PARKED_AGAIN, || {
        let (seqs, errors, attempts) = again(&rows);
        params![seqs, errors, attempts, of(&rows, |row| row.wait), now]
    });
    let rows = all(turns, |turn| &turn.buried_again);
    steps.push_if(!rows.is_empty(), BURIED_AGAIN, || {
        let (numbers, errors, attempts) = again(&rows);
        params![numbers, errors, attempts, now]
    });
}

fn aside_steps(steps: &mut Steps, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.parked);
    steps.push_if(!rows.is_empty(), PARKED, || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.key.to_string()),
            of(&rows, |row| row.origin.map(|(pack, _)| pack)),
            of(&rows, |row| row.origin.map(|(_, place)| i32::from(place))),
            of(&rows, |row| row.letter),
            of(&rows, |row| row.error.to_string()),
            of(&rows, |row| signed(row.attempts)),
            of(&rows, |row| row.wait),
            of(&rows, |row| row.message.clone()),
            now
        ]
    });
    let rows = all(turns, |turn| &turn.dead);
    steps.push_if(!rows.is_empty(), DEAD, || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.kind.to_string()),
            of(&rows, |row| row.origin.map(|(pack, _)| pack)),
            of(&rows, |row| row.origin.map(|(_, place)| i32::from(place))),
            of(&rows, |row| row.error.to_string()),
            of(&rows, |row| signed(row.attempts)),
            of(&rows, |row| row.message.clone()),
            now
        ]
    });
}

/// Keys of wishes as three columns.
fn keys<'a>(all: impl Iterator<Item = &'a EffectKey>) -> (Vec<String>, Vec<String>, Vec<i32>) {
    let (mut orders, mut steps, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
    for key in all {
        orders.push(key.order.to_string());
        steps.push(key.step.to_string());
        attempts.push(signed(key.attempt));
    }
    (orders, steps, attempts)
}

fn wish_steps(steps: &mut Steps, turns: &[&Changes], now: Option<i64>) -> Option<(usize, u64)> {
    let rows = all(turns, |turn| &turn.ended);
    steps.push_if(!rows.is_empty(), ENDED, || {
        let (orders, names, attempts) = keys(rows.iter().copied());
        params![orders, names, attempts]
    });
    let rows = all(turns, |turn| &turn.let_go);
    steps.push_if(!rows.is_empty(), LET_GO, || {
        let (orders, names, attempts) = keys(rows.iter().map(|row| &row.0));
        let heard = of(&rows, |row| row.2.to_be_bytes().to_vec());
        params![orders, names, attempts, of(&rows, |row| row.1), heard, now]
    });
    let rows = all(turns, |turn| &turn.wishes);
    let place = steps.push_if(!rows.is_empty(), WISHES, || {
        let (orders, names, attempts) = keys(rows.iter().map(|row| &row.key));
        let (kinds, ids, ranks) = columns(rows.iter().map(|row| &row.stream));
        params![
            orders,
            names,
            attempts,
            of(&rows, |row| row.lane),
            of(&rows, |row| row.gateway.to_string()),
            kinds,
            ids,
            ranks,
            of(&rows, |row| row.cause.to_be_bytes().to_vec()),
            of(&rows, |row| row.request.clone()),
            now
        ]
    });
    place.map(|place| (place, rows.len() as u64))
}

fn stream_steps(steps: &mut Steps, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.silenced);
    steps.push_if(!rows.is_empty(), SILENCED, || {
        let (kinds, ids, ranks) = columns(rows.iter().copied());
        params![kinds, ids, ranks]
    });
    let mut rows = all(turns, |turn| &turn.events);
    // One order for everybody, so that two commits that meet in the same streams wait and do not embrace.
    rows.sort_by(|one, other| one.stream.cmp(&other.stream));
    steps.push_if(!rows.is_empty(), EVENTS, || {
        params![
            of(&rows, |row| row.lane),
            of(&rows, |row| int(row.position)),
            of(&rows, |row| row.part),
            of(&rows, |row| row.stream.kind.to_string()),
            of(&rows, |row| row.stream.id.to_string()),
            of(&rows, |row| rank(row.stream.rank)),
            of(&rows, |row| int(row.after)),
            of(&rows, |row| int(row.version)),
            of(&rows, |row| row.time),
            of(&rows, |row| i32::from(row.schema)),
            of(&rows, |row| row.fixed_at),
            of(&rows, |row| row.deadline.clone()),
            of(&rows, |row| row.hash.to_be_bytes().to_vec()),
            of(&rows, |row| row.state.clone()),
            of(&rows, |row| row.events.clone()),
            of(&rows, |row| row.fixed.clone())
        ]
    });
    let rows = all(turns, |turn| &turn.follows);
    steps.push_if(!rows.is_empty(), FOLLOW, || {
        let (kinds, ids, ranks) = columns(rows.iter().map(|row| &row.stream));
        params![
            kinds,
            ids,
            ranks,
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.delay),
            of(&rows, |row| row.set_at),
            of(&rows, |row| row.started),
            now,
            of(&rows, |row| row.key.clone())
        ]
    });
}
