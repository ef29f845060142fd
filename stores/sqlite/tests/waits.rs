//! Very many orders that only wait: what every look costs must not grow with them.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use bytes::Bytes;
use futures::executor::block_on;
use kit::{turn_of, writes};
use oms_core::{
    conformance::VirtualClock,
    gateway::{Effect, EffectKey},
    id::MessageId,
    message::{GroupLane, Key},
    store::{Claimed, Consumed, Deadline, Lease, Store, Then, Waiting, Writes},
};
use oms_sqlite::{Options, SqliteStore, Synchronous};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const WAITING: u64 = 30_000;
/// A scan of so many rows takes several times this.
const QUICK: Duration = Duration::from_millis(5);
const DAY: Duration = Duration::from_secs(86_400);

fn open(path: &Path, clock: &VirtualClock) -> SqliteStore {
    let options = Options::new(path).clock(Arc::new(clock.clone())).synchronous(Synchronous::Normal);
    let store = options.open().expect("opens");
    block_on(store.register(&kit::topology())).expect("registers");
    store
}

fn lane() -> GroupLane {
    GroupLane::new("order", 0)
}

fn lease(store: &SqliteStore, owner: u128) -> [Lease; 1] {
    let leases = block_on(store.lease(owner, &[lane()], DAY * 9)).expect("leases");
    leases.try_into().expect("the lane is free")
}

fn key(number: u64) -> EffectKey {
    EffectKey::new(&format!("o-{number}"), "pay", 1)
}

fn wish(number: u64) -> Effect {
    Effect {
        key: key(number),
        stream: kit::order(number),
        gateway: "bank".into(),
        request: Bytes::from_static(b"{}"),
        cause: MessageId(1),
    }
}

fn commit(store: &SqliteStore, writes: Writes) {
    let (turn, _) = block_on(turn_of(store, lane())).expect("a turn");
    block_on(turn.commit(writes)).expect("commits");
}

fn claim(store: &SqliteStore, leases: &[Lease], limit: usize) -> Claimed {
    block_on(store.claim(leases, "bank", limit)).expect("claims")
}

/// Orders with a deadline in two days, of which each has a wish that is asked about in a day, and a little later than the last.
fn fill(store: &SqliteStore) {
    for first in (0..WAITING).step_by(1_000) {
        let mut all = Writes::default();
        for number in first..first + 1_000 {
            let mut one = writes(number, 0, 1, b"{}");
            let key = kit::order(number).id;
            let deadline =
                Deadline { set_at: 1, delay: DAY * 2, waits_for: None, key, group: "order".into() };
            one.streams[0].next.deadline = Some(deadline);
            all.streams.append(&mut one.streams);
            all.alarms.push(kit::order(number));
            all.effects.push(wish(number));
        }
        commit(store, all);
        let let_go = |number: u64| Consumed::Answered {
            effect: key(number),
            then: Then::LetGo { again: DAY + Duration::from_secs(number), heard: MessageId(7) },
        };
        let consumed = (first..first + 1_000).map(let_go).collect();
        commit(store, Writes { consumed, ..Writes::default() });
    }
}

/// How long the fastest of fifty looks takes: a scan is never fast, and a busy machine slows only some.
fn time(what: &str, mut look: impl FnMut()) {
    let once = |_| {
        let began = Instant::now();
        look();
        began.elapsed()
    };
    let fastest = (0..50).map(once).min().expect("fifty");
    println!("{what}: {fastest:?}");
    assert!(fastest < QUICK, "{what} takes {fastest:?} while {WAITING} orders wait");
}

#[test]
fn no_look_grows_with_the_orders_that_wait() {
    let (directory, clock) = (TempDir::new().expect("a directory"), VirtualClock::default());
    let path = directory.path().join("orders.db");
    fill(&open(&path, &clock));
    let began = Instant::now();
    let store = open(&path, &clock);
    println!("opening: {:?}", began.elapsed());
    assert_eq!(block_on(store.count()).expect("counts").effects, WAITING);
    let leases = lease(&store, 1);
    time("a claim of nothing", || {
        let claimed = claim(&store, &leases, 64);
        assert_eq!((claimed.doings.len(), claimed.next), (0, Some(DAY)));
    });
    time("a look at deadlines", || {
        let (due, next) = block_on(store.due(&[lane()], 512)).expect("looks");
        assert_eq!((due.len(), next), (0, Some(DAY * 2)));
    });
    let wish = |one: &Waiting| matches!(one, Waiting::Effect { claimed: true, .. });
    time("what waits of one order", || {
        let waiting = block_on(store.waiting(Some("o-777"), 99)).expect("looks");
        assert_eq!((waiting.len(), waiting.iter().filter(|one| wish(one)).count()), (2, 1));
    });
    time("something of what waits", || {
        assert_eq!(block_on(store.waiting(None, 9)).expect("looks").len(), 9);
    });
    clock.advance(DAY + Duration::from_secs(WAITING));
    let mut next = 0;
    time("a claim of some that are due, and their end", || {
        let claimed = claim(&store, &leases, 64);
        let keys: Vec<_> = claimed.doings.into_iter().map(|doing| doing.effect.key).collect();
        assert_eq!(keys, (next..next + 64).map(key).collect::<Vec<_>>());
        let gone = |effect| Consumed::Answered { effect, then: Then::Gone };
        commit(&store, Writes { consumed: keys.into_iter().map(gone).collect(), ..Writes::default() });
        next += 64;
    });
}

#[test]
fn a_deadline_is_found_by_its_key_whatever_its_stream_is_called() {
    let (directory, clock) = (TempDir::new().expect("a directory"), VirtualClock::default());
    let store = open(&directory.path().join("orders.db"), &clock);
    let named = |number: u64, expected: u64, key: &str| {
        let mut all = writes(number, expected, 1, b"{}");
        all.packs.clear();
        let (key, group) = (key.into(), "order".into());
        let deadline = Deadline { set_at: expected + 1, delay: DAY, waits_for: None, key, group };
        all.streams[0].next.deadline = Some(deadline);
        all.alarms.push(kit::order(number));
        commit(&store, all);
    };
    let found = |key: &str| {
        let waiting = block_on(store.waiting(Some(key), 99)).expect("looks");
        let stream = |one| if let Waiting::Deadline { stream, .. } = one { Some(stream) } else { None };
        waiting.into_iter().filter_map(stream).collect::<Vec<_>>()
    };
    // Heard in the same lane, so that nothing but the key tells them apart.
    let lane_of = |key: &str| Key::new(key.into()).lane(4);
    let same_lane = |key: &&str| lane_of(key) == lane_of("o-1");
    let other =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i"].into_iter().find(same_lane).expect("one of them");
    named(1, 0, "o-1");
    named(2, 0, other);
    assert_eq!(
        (found("o-1"), found("o-2"), found(other)),
        (vec![kit::order(1)], vec![], vec![kit::order(2)])
    );
    // Its alarm is early enough already, and its key another.
    named(1, 1, other);
    assert_eq!((found("o-1"), found(other)), (vec![], vec![kit::order(1), kit::order(2)]));
}

#[test]
fn wishes_beyond_those_known_by_heart_are_claimed_in_order_and_may_have_been_told() {
    let (directory, clock) = (TempDir::new().expect("a directory"), VirtualClock::default());
    let store = open(&directory.path().join("orders.db"), &clock);
    let leases = lease(&store, 1);
    for first in (0..12_000).step_by(1_000) {
        commit(&store, Writes { effects: (first..first + 1_000).map(wish).collect(), ..Writes::default() });
        clock.advance(Duration::from_millis(1));
    }
    let unclaimed = |number: u64| {
        let (mut turn, _) = block_on(turn_of(&store, lane())).expect("a turn");
        let loaded = block_on(turn.load(&[kit::order(number)].into())).expect("loads");
        loaded.into_values().next().expect("the stream").unclaimed
    };
    assert_eq!((unclaimed(9_999), unclaimed(10_000)), (vec![key(9_999)], vec![]));
    let mut told = Vec::new();
    while told.len() < 12_000 {
        let claimed = claim(&store, &leases, 700);
        let next = if told.len() + claimed.doings.len() < 12_000 { Some(Duration::ZERO) } else { None };
        assert_eq!(claimed.next, next, "after {}", told.len());
        for doing in claimed.doings {
            assert_eq!(doing.effect.key, key(told.len() as u64));
            told.push(doing.maybe_told);
        }
    }
    assert_eq!(told.iter().position(|told| *told), Some(10_000));
    assert_eq!(claim(&store, &leases, 700), Claimed::default());
}
