//! Waits that end by themselves, and a clock that is set back.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use deadpool_postgres::{Manager, Pool};
use kit::{LONG, commit, lane, lease, more, open, raw, server, thing, version, writing};
use oms_core::{
    broker::Topology,
    clock::{Clock, Timestamp},
    store::{Ask, Consumed, Deadline, Local, LocalMessage, Right, Store, StoreError, Writes},
};
use oms_postgres::{Options, PostgresStore, deadpool_postgres};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_whose_connections_are_all_taken_is_unavailable_in_time_and_used_when_they_are_back() {
    let server = server().await;
    let config: tokio_postgres::Config = server.url().parse().expect("a good URL");
    let pool = Pool::builder(Manager::new(config, tokio_postgres::NoTls)).max_size(3).build();
    let pool = pool.expect("a pool");
    let store = Options::over(pool.clone()).open().await.expect("it opens");
    let taken = [pool.get().await, pool.get().await, pool.get().await];
    let began = Instant::now();
    let refused = commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(30), "it waited for {:?}", began.elapsed());
    drop(taken);
    commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_ended_by_the_database_and_nothing_of_it_stays() {
    let server = server().await;
    let store = open(&format!("{}?timeout=1", server.url()), "a").await;
    let raw = raw(&server.url()).await;
    raw.batch_execute("BEGIN; LOCK TABLE a.event IN SHARE MODE").await.expect("locked");
    let began = Instant::now();
    let refused = commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(6), "it waited for {:?}", began.elapsed());
    raw.batch_execute("ROLLBACK").await.expect("let go");
    assert_eq!(version(&store, &thing("k")).await, 0);
    commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.expect("written");
    assert_eq!(version(&store, &thing("k")).await, 1);
}

/// A clock that somebody sets.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

const HOUR: i64 = 3_600_000_000;

async fn by(hands: &Arc<Hands>, url: &str) -> PostgresStore {
    let options = Options::from_url(url).and_then(|options| options.schema("a")).expect("a good URL");
    let store = options.clock(Arc::<Hands>::clone(hands)).open().await.expect("it opens");
    let hears = [("alpha".into(), ["news".into()].into())].into();
    store.register(&Topology { hears, lanes: 4, ..Topology::default() }).await.expect("registered");
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_gives_no_lane_to_two_owners_and_fires_each_deadline_once() {
    let server = server().await;
    let hands = Arc::new(Hands(AtomicI64::new(1_800_000_000_000_000)));
    let (one, other) = (by(&hands, &server.url()).await, by(&hands, &server.url()).await);
    let owned = lease(&one, 1, &lane(0), LONG).await.expect("its lane");
    let stream = thing("k");
    let mut begun = more(&stream, 0);
    begun.next.deadline = Some(Deadline {
        set_at: 1,
        delay: Duration::from_secs(60),
        waits_for: None,
        key: "k".into(),
        group: "alpha".into(),
    });
    let set = Writes { alarms: [stream.clone()].into(), ..writing(vec![begun]) };
    commit(&one, &lane(0), set).await.expect("set");

    hands.0.fetch_sub(HOUR, Ordering::SeqCst);
    assert_eq!(lease(&other, 2, &lane(0), LONG).await, None, "it has an owner");
    let fenced = one.turn(&Right::Fenced(owned), Ask::default()).await.expect("it is still its own");
    fenced.commit(writing(vec![more(&thing("l"), 0)])).await.expect("written");
    let lanes: Vec<_> = (0..4).map(lane).collect();
    let (due, _) = one.due(&lanes, 10).await.expect("asked");
    assert!(due.is_empty(), "{due:?}");

    hands.0.fetch_add(HOUR + 61_000_000, Ordering::SeqCst);
    let (due, _) = one.due(&lanes, 10).await.expect("asked");
    let [(place, Local::Due(found))] = due.as_slice() else { panic!("one is due: {due:?}") };
    assert_eq!(found, &stream);
    let right = Right::Unfenced(place.clone());
    let ask = Ask { local: vec![Local::Due(stream.clone())], ..Ask::default() };
    let mut turn = one.turn(&right, ask).await.expect("a turn");
    let fired = turn.found().local;
    let [LocalMessage::Due { set_at, firing, .. }] = fired.as_slice() else { panic!("{fired:?}") };
    let consumed = vec![Consumed::Due { stream: stream.clone(), set_at: *set_at, firing: *firing }];
    turn.commit(Writes { consumed, ..writing(vec![more(&stream, 1)]) }).await.expect("handled");

    hands.0.fetch_sub(HOUR, Ordering::SeqCst);
    hands.0.fetch_add(HOUR + 120_000_000, Ordering::SeqCst);
    assert_eq!(one.due(&lanes, 10).await.expect("asked").0, [], "it has fired");
}
