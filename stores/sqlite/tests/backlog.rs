//! A hundred thousand messages that nobody has handled: what every look costs must not grow with them.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use futures::executor::block_on;
use kit::{lane, turn_of, writes};
use oms_core::{
    conformance::VirtualClock,
    message::{GroupLane, Key, Limit, PackId},
    store::{Ask, Deadline, Right, Store, Writes},
};
use oms_sqlite::{Options, SqliteStore, Synchronous};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const OWED: u64 = 100_000;
/// A scan of a hundred thousand rows takes many times this; none takes less than a hundredth of it.
const QUICK: Duration = Duration::from_millis(20);

fn hearer() -> GroupLane {
    GroupLane::new("order", 0)
}

fn fill(path: &Path) {
    let store = Options::new(path).synchronous(Synchronous::Normal).open().expect("opens");
    block_on(store.register(&kit::topology())).expect("registers");
    for first in (0..OWED).step_by(1_000) {
        let (turn, position) = block_on(turn_of(&store, lane())).expect("a turn");
        let mut all = writes(first, 0, position, b"{}");
        let pack = all.packs.remove(0);
        all.packs.extend((0..1_000).map(|more| {
            let mut pack = pack.clone();
            pack.id.position = position + more;
            pack
        }));
        watch(&mut all, Duration::from_micros(1));
        block_on(turn.commit(all)).expect("commits");
    }
}

/// Gives the first stream a deadline, heard by `hearer`.
fn watch(all: &mut Writes, delay: Duration) {
    let first = &mut all.streams[0];
    let (key, group) = (first.stream.id.clone(), "order".into());
    first.next.deadline = Some(Deadline { set_at: 1, delay, waits_for: None, key, group });
    all.alarms.push(first.stream.clone());
}

/// How long one of a hundred looks takes.
fn time(what: &str, mut look: impl FnMut()) {
    look();
    let began = Instant::now();
    (0..100).for_each(|_| look());
    let each = began.elapsed() / 100;
    println!("{what}: {each:?}");
    assert!(each < QUICK, "{what} takes {each:?} with {OWED} owed rows");
}

fn looks(store: &SqliteStore) {
    let patient = [(hearer(), Duration::from_secs(3_600))];
    time("nothing is overdue", || {
        assert_eq!(block_on(store.overdue(&patient)).expect("looks"), []);
    });
    time("something is overdue", || {
        assert_eq!(block_on(store.overdue(&[(hearer(), Duration::ZERO)])).expect("looks"), [hearer()]);
    });
    time("deadlines whose keys are still owed", || {
        let (due, _) = block_on(store.due(&[hearer()], 512)).expect("looks");
        assert_eq!(due, [], "a backlog fires no deadlines");
    });
    let ask = Ask { owed_longer: Some(Duration::ZERO), limit: limit(), ..Ask::default() };
    time("a turn over what is overdue", || {
        let turn = block_on(store.turn(&Right::Unfenced(hearer()), ask.clone()));
        assert_eq!(turn.expect("a turn").found().owed.len(), 200);
    });
    let pack = PackId { sender: lane(), position: OWED };
    let ask = Ask { packs: vec![pack], limit: limit(), ..Ask::default() };
    time("a turn over the last delivery", || {
        let turn = block_on(store.turn(&Right::Unfenced(hearer()), ask.clone()));
        assert_eq!(turn.expect("a turn").found().owed.len(), 200);
    });
    time("packs to be relayed", || {
        assert_eq!(block_on(store.unsent(&[(lane(), OWED - 9)], limit())).expect("looks").len(), 9);
    });
}

fn limit() -> Limit {
    Limit { messages: 200, bytes: 1 << 20 }
}

#[test]
fn no_look_grows_with_the_backlog() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("orders.db");
    fill(&path);
    let began = Instant::now();
    let store = oms_sqlite::open(&path).expect("opens");
    println!("opening: {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(10), "opening takes {:?}", began.elapsed());
    assert_eq!(block_on(store.count()).expect("counts").owed, OWED);
    looks(&store);
}

#[test]
fn deadlines_beyond_the_limit_are_looked_at_next() {
    let directory = TempDir::new().expect("a directory");
    let clock = VirtualClock::default();
    let path = directory.path().join("orders.db");
    let store = Options::new(&path).clock(Arc::new(clock.clone())).open().expect("opens");
    block_on(store.register(&kit::topology())).expect("registers");
    let heard = |number: &u64| Key::new(kit::order(*number).id).lane(4) == 0;
    for number in (0..).filter(heard).take(5) {
        let (turn, position) = block_on(turn_of(&store, lane())).expect("a turn");
        let mut all = writes(number, 0, position, b"{}");
        watch(&mut all, Duration::from_secs(60));
        block_on(turn.commit(all)).expect("commits");
    }
    clock.advance(Duration::from_secs(61));
    let looks: Vec<_> = (0..3).map(|_| block_on(store.due(&[hearer()], 2)).expect("looks")).collect();
    let (at_once, later) = (Some(Duration::ZERO), Some(Duration::from_secs(60)));
    assert_eq!(looks, [(vec![], at_once), (vec![], at_once), (vec![], later)]);
}
