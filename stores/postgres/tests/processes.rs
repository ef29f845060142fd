//! What several processes do to each other: every store here is one of them, with connections and a memory of its own.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use kit::{LONG, commit, lane, lease, more, open, raw, server, thing, version, wish, writing};
use oms_core::{
    broker::Topology,
    id::StreamId,
    message::{GroupLane, Pack, PackId},
    store::{Ask, Consumed, End, Right, Store, StoreError, Turn, Writes},
};
use oms_postgres::PostgresStore;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Counts two shared streams up, in this order, until both were counted so often by this process.
async fn count(store: PostgresStore, number: u16, names: [&'static str; 2], times: u64) {
    let streams = names.map(|name| StreamId::shared("stock", name));
    let mut done = 0;
    while done < times {
        let mut turn =
            store.turn(&Right::Unfenced(lane(number)), Ask::default()).await.expect("a turn of the lane");
        let loaded = turn.load(&streams.iter().cloned().collect()).await.expect("loaded");
        let writes = streams.iter().map(|stream| more(stream, loaded[stream].version)).collect();
        match turn.commit(writing(writes)).await {
            Ok(()) => done += 1,
            Err(StoreError::Conflict) => {}
            other => other.expect("nothing but a conflict"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_want_the_same_unborn_streams_in_opposite_order_neither_deadlock_nor_lose_anything() {
    let server = server().await;
    let (one, other) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let counted = tokio::join!(
        count(one.clone(), 0, ["x", "y"], 40),
        count(other.clone(), 1, ["y", "x"], 40),
        count(one.clone(), 2, ["y", "x"], 40),
        count(other, 3, ["x", "y"], 40),
    );
    let ((), (), (), ()) = counted;
    for name in ["x", "y"] {
        assert_eq!(version(&one, &StreamId::shared("stock", name)).await, 160);
    }
}

/// Follows the log of a lane by a plain cursor until the writers are done and nothing more comes.
async fn follow(store: PostgresStore, number: u16, done: Arc<AtomicBool>) -> Vec<u64> {
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let ending = done.load(Ordering::SeqCst);
        let page = store.log(&lane(number), after, 7).await.expect("read");
        after = page.last().map_or(after, |event| event.position);
        seen.extend(page.iter().map(|event| event.position));
        if page.is_empty() && ending {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_11_a_plain_cursor_misses_no_row_of_sixteen_writers_and_without_the_lanes_lock_it_would() {
    let server = server().await;
    let url = server.url();
    let stores = [open(&url, "a").await, open(&url, "a").await];
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> =
        (0..2u16).map(|number| tokio::spawn(follow(stores[0].clone(), number, Arc::clone(&done)))).collect();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16u16 {
        let store = stores[usize::from(writer % 2)].clone();
        writers.spawn(async move {
            for number in 0..25 {
                let stream = thing(&format!("{writer}-{number}"));
                loop {
                    // Some are given up half-way, as by a crash.
                    let turn = store.turn(&Right::Unfenced(lane(writer % 2)), Ask::default()).await;
                    let turn = turn.expect("a turn of the lane");
                    if number % 5 == 4 {
                        break;
                    }
                    match turn.commit(writing(vec![more(&stream, 0)])).await {
                        Ok(()) => break,
                        Err(StoreError::Conflict) => {}
                        Err(other) => panic!("not a conflict but: {other}"),
                    }
                }
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer");
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        let seen = reader.await.expect("a reader");
        assert_eq!(seen, (1..=160).collect::<Vec<u64>>(), "every turn once, in order");
    }
    assert!(
        skipped(&url).await > 0,
        "a plain cursor over a sequence skips rows, else this test shows nothing"
    );
}

/// The same readers and writers over a table whose positions come from a sequence: how many rows the reader never saw.
async fn skipped(url: &str) -> i64 {
    raw(url)
        .await
        .batch_execute("CREATE TABLE control (position bigserial PRIMARY KEY)")
        .await
        .expect("made");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16u64 {
        let client = raw(url).await;
        writers.spawn(async move {
            for number in 0..25 {
                client.batch_execute("BEGIN; INSERT INTO control DEFAULT VALUES").await.expect("written");
                tokio::time::sleep(Duration::from_millis((writer * 7 + number * 3) % 11)).await;
                let end = if number % 5 == 4 { "ROLLBACK" } else { "COMMIT" };
                client.batch_execute(end).await.expect("ended");
            }
        });
    }
    let (reader, mut after, mut seen) = (raw(url).await, 0i64, 0i64);
    loop {
        let ended = writers.is_empty();
        let sql = "SELECT position FROM control WHERE position > $1 ORDER BY position";
        let rows = reader.query(sql, &[&after]).await.expect("read");
        seen += i64::try_from(rows.len()).expect("few");
        after = rows.last().map_or(after, |row| row.get(0));
        if rows.is_empty() && ended {
            break;
        }
        while writers.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let all: i64 = reader.query_one("SELECT count(*) FROM control", &[]).await.expect("read").get(0);
    all - seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_08_an_owner_that_was_paused_past_its_lease_changes_nothing_when_it_wakes_up() {
    let server = server().await;
    let (paused, next) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let alpha = lane(0);
    let old = lease(&paused, 1, &alpha, Duration::from_millis(300)).await.expect("the first has it");
    let turn = paused.turn(&Right::Fenced(old.clone()), Ask::default()).await.expect("its turn");
    assert!(lease(&next, 2, &alpha, LONG).await.is_none(), "the database's clock has not let it expire");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let new = lease(&next, 2, &alpha, LONG).await.expect("it has expired");
    let taken = next.turn(&Right::Fenced(new), Ask::default()).await.expect("the next owner's turn");
    taken.commit(writing(vec![more(&thing("k"), 0)])).await.expect("its commit");
    let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LostLease(_)));
    assert!(lost(turn.commit(writing(vec![more(&thing("k"), 0)])).await));
    assert!(lost(paused.turn(&Right::Fenced(old.clone()), Ask::default()).await.map(drop)));
    assert!(lost(paused.claim(&[old], "bank", 9).await.map(drop)));
    assert_eq!(version(&paused, &thing("k")).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_08_a_pack_that_two_processes_have_in_hand_is_handled_by_one_of_them() {
    let server = server().await;
    let (one, other) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let id = PackId { sender: GroupLane::new("place", 0), position: 1 };
    let pack = Pack { id: id.clone(), topic: "news".into(), lane: 0, keys: vec![7, 7], bytes: "both".into() };
    commit(&one, &id.sender, Writes { packs: vec![pack], ..Writes::default() }).await.expect("sent");
    let ask = || Ask { packs: vec![id.clone()], ..Ask::default() };
    let right = Right::Unfenced(lane(0));
    let (mut first, mut second) =
        (one.turn(&right, ask()).await.expect("a turn"), other.turn(&right, ask()).await.expect("a turn"));
    assert_eq!((first.found().owed.len(), second.found().owed.len()), (1, 1));
    let handled = |indexes| {
        let consumed = Consumed::Owed { pack: id.clone(), indexes, end: End::Handled };
        Writes { consumed: vec![consumed], ..Writes::default() }
    };
    first.commit(handled(vec![0])).await.expect("the first");
    assert!(matches!(second.commit(handled(vec![0, 1])).await, Err(StoreError::Conflict)));
    let left = one.turn(&right, ask()).await.expect("a turn").found();
    assert_eq!(left.owed.iter().map(|owed| owed.left.clone()).collect::<Vec<_>>(), [[1]]);
}

/// A wish that its owner may still take back; the lease has run out, and nobody has taken it yet.
async fn unclaimed(store: &PostgresStore) -> (Box<dyn Turn>, Writes) {
    let own = lease(store, 1, &lane(0), Duration::from_millis(100)).await.expect("it is free");
    let made = Writes { effects: vec![wish("o")], ..Writes::default() };
    let turn = store.turn(&Right::Fenced(own.clone()), Ask::default()).await.expect("a turn");
    turn.commit(made).await.expect("made");
    let mut turn = store.turn(&Right::Fenced(own), Ask::default()).await.expect("a turn");
    let loaded = turn.load(&[thing("o")].into()).await.expect("loaded");
    assert_eq!(loaded[&thing("o")].unclaimed, [wish("o").key]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    (turn, Writes { withdrawn: vec![wish("o").key], ..Writes::default() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_18_nobody_takes_a_lane_while_its_owner_withdraws_a_wish_there() {
    let server = server().await;
    let (old, next) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let (turn, takes_back) = unclaimed(&old).await;
    // Its commit comes as far as the wish, and no further.
    let mut raw = raw(&server.url()).await;
    let held = raw.transaction().await.expect("begun");
    held.execute("SELECT FROM a.effect FOR UPDATE", &[]).await.expect("held");
    let withdrawing = tokio::spawn(turn.commit(takes_back));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let taking = tokio::spawn(async move { (lease(&next, 2, &lane(0), LONG).await, next) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!taking.is_finished() && !withdrawing.is_finished());
    held.rollback().await.expect("let go");
    withdrawing.await.expect("it ends").expect("withdrawn");
    let (lease, next) = taking.await.expect("it ends");
    let lease = lease.expect("it has run out");
    assert_eq!(next.claim(&[lease], "bank", 9).await.expect("claimed").doings, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_18_what_the_next_owner_may_have_claimed_is_not_withdrawn_and_may_have_been_told() {
    let server = server().await;
    let (old, next) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let (turn, takes_back) = unclaimed(&old).await;
    let lease = lease(&next, 2, &lane(0), LONG).await.expect("it has run out");
    let claimed = next.claim(&[lease], "bank", 9).await.expect("claimed").doings;
    assert_eq!(claimed.iter().map(|doing| doing.maybe_told).collect::<Vec<_>>(), [true]);
    assert!(matches!(turn.commit(takes_back).await, Err(StoreError::LostLease(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_turns_than_connections_go_through_though_another_process_has_changed_who_hears() {
    let server = server().await;
    let (one, other) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let more_heard =
        Topology { hears: [("beta".into(), ["news".into()].into())].into(), lanes: 4, ..Topology::default() };
    let turn = |number: u16| {
        let one = one.clone();
        async move {
            let right = Right::Unfenced(GroupLane::new(&format!("place{number}"), 0));
            let mut turn = one.turn(&right, Ask::default()).await.expect("a turn");
            turn.found().hears.len()
        }
    };
    // Every connection is there, and every lane; then all find at once that what they knew is old.
    futures::future::join_all((0..40).map(turn)).await;
    other.register(&more_heard).await.expect("registered");
    let heard = futures::future::join_all((0..40).map(turn)).await;
    assert!(heard.iter().all(|groups| *groups == 3), "alpha, beta and those outside: {heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_open_a_schema_at_once_make_one() {
    let server = server().await;
    let url = server.url();
    let opened = futures::future::join_all((0..8).map(|_| open(&url, "fresh"))).await;
    for (number, store) in opened.iter().enumerate() {
        commit(store, &lane(0), writing(vec![more(&thing(&number.to_string()), 0)])).await.expect("written");
    }
    assert_eq!(opened[0].heads(&[lane(0)]).await.expect("read"), [8]);
}
