//! What peculiarly can go wrong with one file: refused neighbours in one commit, dropped callers, a full disk, a kill.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use futures::{FutureExt, executor::block_on, future::join_all};
use kit::{lane, place, turn_of, writes};
use oms_core::{
    broker::Topology,
    gateway::{Effect, EffectKey},
    id::MessageId,
    message::{GroupLane, Limit, PackId},
    store::{Consumed, End, Store, StoreError, Writes},
};
use oms_sqlite::Options;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

fn directory() -> TempDir {
    TempDir::new().expect("a directory")
}

/// The versions of orders that are whole: the stream, its history and its pack agree.
fn whole(store: &oms_sqlite::SqliteStore) -> Vec<u64> {
    let streams = block_on(store.streams("order", None, usize::MAX)).expect("streams");
    let limit = Limit { messages: usize::MAX, bytes: usize::MAX };
    let packs = block_on(store.unsent(&[(lane(), 0)], limit)).expect("packs");
    let mut numbers: Vec<u64> = Vec::new();
    for (id, stream) in &streams {
        let history = block_on(store.history(id, 0, usize::MAX)).expect("history");
        assert_eq!(history.len() as u64, stream.version, "{id}");
        numbers.push(id.id.trim_start_matches("o-").parse().expect("a number"));
    }
    numbers.sort_unstable();
    let mut sent: Vec<u64> = packs
        .iter()
        .map(|pack| std::str::from_utf8(&pack.bytes).expect("text").parse().expect("a number"))
        .collect();
    sent.sort_unstable();
    assert_eq!(sent, numbers, "an order without its message, or the other way round");
    let owed = block_on(store.count()).expect("counts").owed;
    assert_eq!(owed, numbers.len() as u64);
    numbers
}

#[test]
fn a_refused_turn_undoes_none_of_its_neighbours() {
    let directory = directory();
    let store = kit::open(&directory.path().join("orders.db"));
    place(&store, 1, 0, b"{}").expect("placed");
    let shop = |number: u64| GroupLane::new(&format!("shop-{number}"), 0);
    let turns = block_on(join_all((0..32).map(|number| turn_of(&store, shop(number)))));
    let before = block_on(store.count()).expect("counts").commits;
    let commits = (0..).zip(turns).map(|(number, turn)| {
        let (turn, position) = turn.expect("a turn");
        // Every other turn expects a version that is not there.
        let expected = number % 2;
        let mut writes = writes(100 + number, expected, position, b"{}");
        writes.packs[0].id.sender = shop(number);
        async move { (expected, turn.commit(writes).await) }
    });
    let outcomes = block_on(join_all(commits));
    for (expected, outcome) in outcomes {
        match expected {
            0 => outcome.expect("a good turn commits"),
            _ => assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}"),
        }
    }
    let streams = block_on(store.streams("order", None, 99)).expect("streams");
    assert_eq!(streams.len(), 17);
    assert_eq!(block_on(store.count()).expect("counts").owed, 17);
    let commits = block_on(store.count()).expect("counts").commits - before;
    assert!(commits < 16, "nobody shared a commit: {commits}");
}

#[test]
fn two_last_rows_that_go_in_one_commit_take_the_body_along() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    let store = kit::open(&path);
    let hears = |group: &str| (group.into(), BTreeSet::from(["placed".into()]));
    let topology = Topology { hears: BTreeMap::from(["order", "story"].map(hears)), ..kit::topology() };
    block_on(store.register(&topology)).expect("registers");
    let before = block_on(store.count()).expect("counts").commits;
    for number in 0..40 {
        place(&store, number, 0, b"{}").expect("placed");
        let consumed = Consumed::Owed {
            pack: PackId { sender: lane(), position: number + 1 },
            indexes: vec![0],
            end: End::Handled,
        };
        let turns = ["order", "story"].map(|group| turn_of(&store, GroupLane::new(group, 0)));
        let commits = block_on(join_all(turns)).into_iter().map(|turn| {
            let writes = Writes { consumed: vec![consumed.clone()], ..Writes::default() };
            turn.expect("a turn").0.commit(writes)
        });
        block_on(join_all(commits)).into_iter().for_each(|done| done.expect("commits"));
    }
    let counts = block_on(store.count()).expect("counts");
    assert_eq!(counts.owed, 0);
    assert!(counts.commits - before < 120, "the two never shared a commit");
    // Nothing is left behind to be collected: the second delete sees what the first has done.
    assert_eq!(block_on(store.collect(99)).expect("collects"), 0);
    drop(store);
    let db = rusqlite::Connection::open(&path).expect("opens");
    let packs: i64 = db.query_row("SELECT count(*) FROM pack", [], |row| row.get(0)).expect("counted");
    assert_eq!(packs, 0, "bodies without owed rows");
}

#[test]
fn a_claim_that_waits_for_one_lane_holds_no_other() {
    let directory = directory();
    let store = kit::open(&directory.path().join("orders.db"));
    let lanes = [0, 1].map(|number| GroupLane::new("order", number));
    for (number, lane) in (0..).zip(&lanes) {
        let (turn, _) = block_on(turn_of(&store, lane.clone())).expect("a turn");
        let wish = Effect {
            key: EffectKey::new("o", "pay", number),
            stream: kit::order(number.into()),
            gateway: "bank".into(),
            request: bytes::Bytes::new(),
            cause: MessageId(1),
        };
        let writes = Writes { effects: vec![wish], ..Writes::default() };
        block_on(turn.commit(writes)).expect("commits");
    }
    let leases = block_on(store.lease(1, &lanes, Duration::from_secs(60))).expect("leases");
    let (open, _) = block_on(turn_of(&store, lanes[1].clone())).expect("a turn");
    let mut claim = store.claim(&leases, "bank", 9);
    assert!(claim.as_mut().now_or_never().is_none(), "a wish was claimed under an open turn");
    let other = turn_of(&store, lanes[0].clone()).now_or_never();
    drop(other.expect("the other lane is free").expect("a turn"));
    drop(open);
    assert_eq!(block_on(claim).expect("claims").doings.len(), 2);
}

#[test]
fn a_dropped_commit_holds_its_lane_until_it_has_ended() {
    let directory = directory();
    let store = kit::open(&directory.path().join("orders.db"));
    for number in 0..50 {
        let (turn, position) = block_on(turn_of(&store, lane())).expect("a turn");
        let mut commit = turn.commit(writes(number, 0, position, b"{}"));
        // Queued, and its caller goes away.
        let _ = commit.as_mut().now_or_never();
        drop(commit);
        let (_, next) = block_on(turn_of(&store, lane())).expect("the next turn");
        assert_eq!(next, position + 1, "the next turn came in before the writes");
    }
    assert_eq!(whole(&store).len(), 50);
}

#[test]
fn a_full_disk_is_unavailable_and_nothing_is_half_written() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    drop(kit::open(&path));
    let store = Options::new(&path).max_bytes(400_000).open().expect("opens");
    let state = vec![b'x'; 20_000];
    let mut placed = 0;
    let error = loop {
        match place(&store, placed, 0, &state) {
            Ok(()) => placed += 1,
            Err(error) => break error,
        }
        assert!(placed < 1_000, "the disk never filled");
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(whole(&store).len() as u64, placed);
    drop(store);
    let store = kit::open(&path);
    assert_eq!(whole(&store).len() as u64, placed);
    place(&store, placed, 0, &state).expect("there is room again");
}

const CHILD: &str = "OMS_SQLITE_CHILD";

/// Not a test of its own: places orders for ever when it is run as a child, and says which are confirmed.
#[test]
fn child_that_places_orders() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = kit::open(Path::new(&path));
    let first = whole(&store).last().map_or(0, |last| last + 1);
    for number in first.. {
        place(&store, number, 0, &[b'y'; 3_000]).expect("placed");
        println!("\nplaced {number}");
    }
}

#[test]
fn a_kill_leaves_whole_turns_and_all_that_were_confirmed() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    let mut confirmed = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "child_that_places_orders", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut seen = 0;
        while seen < 5 + 7 * round {
            let line = lines.next().expect("goes on").expect("a line");
            if let Some(number) = line.strip_prefix("placed ") {
                confirmed = number.parse::<u64>().expect("a number") + 1;
                seen += 1;
            }
        }
        let error = Options::new(&path).open().err().expect("the child has it");
        assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
        child.kill().expect("killed");
        child.wait().expect("gone");
        let store = kit::open(&path);
        let numbers = whole(&store);
        assert!(numbers.len() as u64 >= confirmed, "{} of {confirmed} survived", numbers.len());
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "a hole");
    }
}
