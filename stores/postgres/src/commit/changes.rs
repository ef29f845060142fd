//! The rows that turns change, and the calls that change them: one for each table and kind of change, however many turns.

use crate::{
    alarm::Follow,
    pipe::{Calls, params},
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
    pub(crate) digest: u128,
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

/// The calls that write these turns, in the order in which they must run: first the lanes are held, and what must still be there
/// goes. Also which of them makes wishes, and how many.
pub(crate) fn calls(turns: &[&Changes], now: Option<i64>) -> (Calls, Option<(usize, u64)>) {
    let mut calls = Calls::default();
    hold(&mut calls, turns);
    owed_calls(&mut calls, turns, now);
    released_calls(&mut calls, turns, now);
    aside_calls(&mut calls, turns, now);
    let wishes = wish_calls(&mut calls, turns, now);
    stream_calls(&mut calls, turns, now);
    (calls, wishes)
}

fn hold(calls: &mut Calls, turns: &[&Changes]) {
    let holds = all(turns, |turn| &turn.holds);
    let firm: Vec<i32> = holds.iter().filter(|hold| hold.firm).map(|hold| hold.lane).collect();
    calls.push(
        "hold",
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

fn owed_calls(calls: &mut Calls, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.gone);
    calls.push_if(!rows.is_empty(), "owed_gone", || params![of(&rows, |row| row.0), of(&rows, |row| row.1)]);
    let rows = all(turns, |turn| &turn.marked);
    calls.push_if(!rows.is_empty(), "owed_marked", || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.pack),
            of(&rows, |row| row.open),
            of(&rows, |row| row.marks.clone())
        ]
    });
    let rows = all(turns, |turn| &turn.packs);
    calls.push_if(!rows.is_empty(), "owed_new", || {
        params![
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.pack),
            of(&rows, |row| row.topic.to_string()),
            of(&rows, |row| row.keys.clone()),
            of(&rows, |row| row.digest.to_be_bytes().to_vec()),
            of(&rows, |row| row.bytes.clone()),
            now
        ]
    });
}

/// What was put aside before.
fn released_calls(calls: &mut Calls, turns: &[&Changes], now: Option<i64>) {
    let again = |rows: &[&Again]| {
        let errors = of(rows, |row| row.error.to_string());
        (of(rows, |row| row.number), errors, of(rows, |row| signed(row.attempts)))
    };
    let rows = all(turns, |turn| &turn.released);
    calls.push_if(!rows.is_empty(), "parked_gone", || params![of(&rows, |seq| *seq)]);
    let rows = all(turns, |turn| &turn.states);
    calls
        .push_if(!rows.is_empty(), "dead_states", || params![of(&rows, |row| row.0), of(&rows, |row| row.1)]);
    let rows = all(turns, |turn| &turn.parked_again);
    calls.push_if(!rows.is_empty(), "parked_again", || {
        let (seqs, errors, attempts) = again(&rows);
        params![seqs, errors, attempts, of(&rows, |row| row.wait), now]
    });
    let rows = all(turns, |turn| &turn.buried_again);
    calls.push_if(!rows.is_empty(), "dead_again", || {
        let (numbers, errors, attempts) = again(&rows);
        params![numbers, errors, attempts, now]
    });
}

fn aside_calls(calls: &mut Calls, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.parked);
    calls.push_if(!rows.is_empty(), "parked_new", || {
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
    calls.push_if(!rows.is_empty(), "dead_new", || {
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

fn wish_calls(calls: &mut Calls, turns: &[&Changes], now: Option<i64>) -> Option<(usize, u64)> {
    let rows = all(turns, |turn| &turn.ended);
    calls.push_if(!rows.is_empty(), "effect_gone", || {
        let (orders, names, attempts) = keys(rows.iter().copied());
        params![orders, names, attempts]
    });
    let rows = all(turns, |turn| &turn.let_go);
    calls.push_if(!rows.is_empty(), "effect_let_go", || {
        let (orders, names, attempts) = keys(rows.iter().map(|row| &row.0));
        let heard = of(&rows, |row| row.2.to_be_bytes().to_vec());
        params![orders, names, attempts, of(&rows, |row| row.1), heard, now]
    });
    let rows = all(turns, |turn| &turn.wishes);
    let place = calls.push_if(!rows.is_empty(), "effect_new", || {
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

fn stream_calls(calls: &mut Calls, turns: &[&Changes], now: Option<i64>) {
    let rows = all(turns, |turn| &turn.silenced);
    calls.push_if(!rows.is_empty(), "alarm_gone", || {
        let (kinds, ids, ranks) = columns(rows.iter().copied());
        params![kinds, ids, ranks]
    });
    let mut rows = all(turns, |turn| &turn.events);
    // One order for everybody, so that two commits that meet in the same streams wait and do not embrace.
    rows.sort_by(|one, other| one.stream.cmp(&other.stream));
    calls.push_if(!rows.is_empty(), "event_new", || {
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
    calls.push_if(!rows.is_empty(), "alarm_set", || {
        let (kinds, ids, ranks) = columns(rows.iter().map(|row| &row.stream));
        params![
            kinds,
            ids,
            ranks,
            of(&rows, |row| row.hearer),
            of(&rows, |row| row.delay),
            of(&rows, |row| row.set_at),
            of(&rows, |row| row.started),
            of(&rows, |row| row.key.clone()),
            now
        ]
    });
}
