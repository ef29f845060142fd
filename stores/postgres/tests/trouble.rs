//! A server that is killed, cut off, stopped, full of somebody else's tables, or that takes no writes.
#![cfg(feature = "server")]
#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use kit::{LONG, blocking, commit, lane, lease, more, open, raw, root, server, thing, version, writing};
use oms_core::store::{Ask, Right, Store, StoreError};
use oms_postgres::{Audit, Broken, OpenError, Options, role_script};
use oms_servers::{Guarded, Kind, Weather};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_is_there_after_the_server_was_killed_and_the_store_goes_on_by_itself() {
    let mut server = server().await;
    let store = open(&server.url(), "a").await;
    let mut confirmed = 0;
    for round in 0..3 {
        let (writer, stream) = (store.clone(), thing("k"));
        let writing = tokio::spawn(async move {
            let mut version = version(&writer, &stream).await;
            while commit(&writer, &lane(0), writing(vec![more(&stream, version)])).await.is_ok() {
                version += 1;
            }
            version
        });
        tokio::time::sleep(Duration::from_millis(150 + 100 * round)).await;
        server = blocking(move || server.kill().map(|()| server)).await;
        let told = writing.await.expect("it ends");
        assert!(told > confirmed, "something was confirmed");
        server = blocking(move || server.start_again().map(|()| server)).await;
        let there = version(&store, &thing("k")).await;
        assert!(there == told || there == told + 1, "confirmed {told}, there {there}: one was on its way");
        confirmed = there;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_connection_is_cut_happened_whole_or_not_at_all_and_the_next_turn_finds_out() {
    let server = server().await;
    let (proxy, url) = server.afar().expect("a wire");
    let far = open(&url, "a").await;
    let raw = raw(&server.url()).await;
    let streams = [thing("k"), thing("l")];
    let (mut known, mut unknown) = (0, 0);
    for number in 0..40u64 {
        let turn = far.turn(&Right::Unfenced(lane(0)), Ask::default()).await.expect("a turn");
        let writes = writing(streams.iter().map(|stream| more(stream, known)).collect());
        let cutting = async {
            tokio::time::sleep(Duration::from_micros(number * 60)).await;
            proxy.set(Weather::Cut);
        };
        let (committed, ()) = tokio::join!(turn.commit(writes), cutting);
        proxy.set(Weather::Clear);
        let sql =
            "SELECT count(*) FILTER (WHERE stream = 'k'), count(*) FILTER (WHERE stream = 'l') FROM a.event";
        let there = raw.query_one(sql, &[]).await.expect("read");
        let there: [i64; 2] = [there.get(0), there.get(1)];
        assert_eq!(there[0], there[1], "whole or not at all");
        match committed {
            Ok(()) => assert_eq!(there[0].cast_unsigned(), known + 1),
            Err(StoreError::Unavailable(_)) => unknown += 1,
            // One whose outcome was unknown has happened since.
            Err(StoreError::Conflict) => {}
            Err(other) => panic!("neither done nor unknown but: {other}"),
        }
        known = there[0].cast_unsigned();
        // Connections that were cut are found out by whoever takes them next.
        while far.heads(&[lane(0)]).await.is_err() {}
    }
    assert!(unknown > 0 && known > 0, "{unknown} of 40 were unknown, {known} happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_unavailable_in_time_and_used_again_when_it_speaks() {
    let server = server().await;
    let (proxy, url) = server.afar().expect("a wire");
    let store = open(&format!("{url}?timeout=1"), "a").await;
    proxy.set(Weather::Stall);
    let began = Instant::now();
    let turn = store.turn(&Right::Unfenced(lane(0)), Ask::default()).await;
    assert!(matches!(turn, Err(StoreError::Unavailable(_))) && began.elapsed() < Duration::from_secs(6));
    proxy.set(Weather::Clear);
    let mut tries = 0;
    while commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.is_err() {
        tries += 1;
        assert!(tries < 20, "it never came back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_in_the_middle_holds_up_neither_its_lane_nor_a_hot_stream() {
    let server = server().await;
    let (stopped, other) = (open(&server.url(), "a").await, open(&server.url(), "a").await);
    let hot = oms_core::id::StreamId::shared("stock", "hot");
    let mut turn = stopped.turn(&Right::Unfenced(lane(0)), Ask::default()).await.expect("a turn");
    turn.load(&[hot.clone()].into()).await.expect("it has the stream in hand");
    let began = Instant::now();
    commit(&other, &lane(0), writing(vec![more(&hot, 0)])).await.expect("nobody waits for it");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(matches!(turn.commit(writing(vec![more(&hot, 0)])).await, Err(StoreError::Conflict)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_unavailable_and_goes_on_afterwards() {
    let server = server().await;
    let store = open(&server.url(), "a").await;
    let raw = raw(&server.url()).await;
    let read_only = |on: &str| {
        let sql = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        let raw = &raw;
        async move {
            raw.batch_execute("SET default_transaction_read_only = off").await.expect("set");
            raw.batch_execute(&sql).await.expect("set");
            raw.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    read_only("on").await;
    let refused = commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(version(&store, &thing("k")).await, 0, "it may still be read");
    read_only("off").await;
    commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_unavailable_loses_nothing_and_is_over_when_there_is_room() {
    let server = server().await;
    let admin = raw(&server.url()).await;
    // It is there where the server was started by root: `unshare` and `mount` make it.
    let place = format!("CREATE TABLESPACE small LOCATION '{}'", server.data().join("small").display());
    admin.batch_execute(&place).await.expect("a small file system, which needs root, unshare and mount");
    admin.batch_execute("ALTER DATABASE postgres SET default_tablespace = small").await.expect("set");
    let store = open(&server.url(), "a").await;
    admin.batch_execute("CREATE TABLE filler (bytes text) TABLESPACE small").await.expect("made");
    let fill = "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 500)";
    while admin.batch_execute(fill).await.is_ok() {}
    let mut written = 0;
    let refused = loop {
        match commit(&store, &lane(0), writing(vec![more(&thing("k"), written)])).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("No space left"), "{refused}");
    assert_eq!(version(&store, &thing("k")).await, written, "it may still be read");
    admin.batch_execute("DROP TABLE filler").await.expect("dropped");
    commit(&store, &lane(0), writing(vec![more(&thing("k"), written)])).await.expect("there is room");
    assert_eq!(store.audit(&mut |_, _| {}).await.expect("audited").broken, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_never_changed_or_removed_by_whomever() {
    let server = server().await;
    let store = open(&server.url(), "a").await;
    commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.expect("written");
    let raw = raw(&server.url()).await;
    for sql in ["UPDATE a.event SET time = 0", "DELETE FROM a.event", "TRUNCATE a.event"] {
        let error = raw.batch_execute(sql).await.expect_err("refused");
        assert!(error.as_db_error().is_some_and(|said| said.message().contains("only ever added")), "{sql}");
    }
    assert_eq!(version(&store, &thing("k")).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_finds_every_row_that_was_edited_moved_added_or_removed() {
    let server = server().await;
    let store = open(&server.url(), "a").await;
    for stream in ["k", "l"] {
        for version in 0..4 {
            commit(&store, &lane(0), writing(vec![more(&thing(stream), version)])).await.expect("written");
        }
    }
    let raw = raw(&server.url()).await;
    raw.batch_execute("SET session_replication_role = replica; SET search_path = a")
        .await
        .expect("no triggers");
    let audit = || async { store.audit(&mut |_, _| {}).await.expect("read") };
    assert_eq!(audit().await, Audit { rows: 8, broken: Vec::new() });
    let row = |version| Broken::Row { stream: thing("k"), version };
    let lane = |found| Broken::Lane { lane: lane(0), written: 8, found };
    let moved =
        "UPDATE event SET after = after + 10, version = version + 10 WHERE stream = 'k' AND after = 3";
    let swapped = "UPDATE event SET state = other.state FROM event AS other
        WHERE event.stream = 'k' AND other.stream = 'k' AND event.after + other.after = 3";
    let added =
        "INSERT INTO event SELECT lane, position + 100, part, kind, rank, 'm', after, version, time, schema,
        fixed_at, deadline, hash, state, events, fixed FROM event WHERE stream = 'k' AND after = 0";
    let forged = Broken::Row { stream: thing("m"), version: 1 };
    for (sql, found) in [
        ("UPDATE event SET events = events || 'x' WHERE stream = 'k' AND after = 1", vec![row(2)]),
        ("UPDATE event SET time = time + 1 WHERE stream = 'k' AND after = 0", vec![row(1)]),
        ("DELETE FROM event WHERE stream = 'k' AND after = 1", vec![row(3), lane(7)]),
        ("DELETE FROM event WHERE stream = 'k' AND after = 3", vec![lane(7)]),
        (moved, vec![row(14)]),
        (swapped, vec![row(1), row(2), row(3), row(4)]),
        (added, vec![forged, lane(9)]),
    ] {
        raw.batch_execute("CREATE TABLE kept AS SELECT * FROM event").await.expect("kept");
        raw.batch_execute(sql).await.expect("done");
        assert_eq!(audit().await.broken, found, "{sql}");
        let back = "TRUNCATE event; INSERT INTO event SELECT * FROM kept; DROP TABLE kept";
        raw.batch_execute(back).await.expect("as it was");
    }
    assert_eq!(audit().await.broken, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_of_the_script_takes_orders_and_has_no_right_to_change_what_happened() {
    let server = server().await;
    let url = server.url();
    // Names that SQL has words of its own for.
    let owners = open(&url, "order").await;
    let owner = raw(&url).await;
    owner.batch_execute("CREATE ROLE \"user\" LOGIN; CREATE ROLE stranger LOGIN").await.expect("made");
    owner.batch_execute(&role_script("order", "user").expect("a script")).await.expect("granted");
    let app = url.replace("oms@", "user@");
    let store = open(&app, "order").await;
    commit(&store, &lane(0), writing(vec![more(&thing("k"), 0)])).await.expect("written");
    assert!(lease(&store, 1, &lane(0), LONG).await.is_some());
    assert_eq!(version(&owners, &thing("k")).await, 1);
    let raw = raw(&app).await;
    for sql in [
        "UPDATE \"order\".event SET time = 0",
        "DELETE FROM \"order\".event",
        "TRUNCATE \"order\".event",
        "DROP TABLE \"order\".event",
    ] {
        let error = raw.batch_execute(sql).await.expect_err("refused");
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{sql}");
    }
    let stranger = Options::from_url(&url.replace("oms@", "stranger@")).expect("a good URL");
    let refused = stranger.schema("order").expect("a name").open().await.err().expect("refused");
    assert!(matches!(refused, OpenError::Rights(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_not_ours_or_newer_and_a_database_that_is_not_there_are_told_apart() {
    let server = server().await;
    let url = server.url();
    let raw = raw(&url).await;
    let opened = |url: String| async move { Options::from_url(&url)?.open().await.map(drop) };
    raw.batch_execute("CREATE SCHEMA theirs; CREATE TABLE theirs.something ()").await.expect("made");
    let foreign = opened(format!("{url}?schema=theirs")).await;
    assert!(matches!(foreign, Err(OpenError::Foreign(_))), "{foreign:?}");
    opened(format!("{url}?schema=newer")).await.expect("made");
    raw.batch_execute("UPDATE newer.meta SET schema = 99").await.expect("set");
    let newer = opened(format!("{url}?schema=newer")).await;
    assert!(matches!(newer, Err(OpenError::Newer { found: 99, .. })), "{newer:?}");
    let nowhere = opened(url.replace("/postgres", "/nowhere")).await;
    assert!(matches!(nowhere, Err(OpenError::Refused(_))), "{nowhere:?}");
    let nobody = opened("postgres://oms@127.0.0.1:1/postgres".to_owned()).await;
    assert!(matches!(nobody, Err(OpenError::Unreachable(_))), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guarded_server_takes_the_right_password_over_tls_and_refuses_the_wrong_one() {
    let server = blocking(|| Guarded::start(Kind::Postgres, &root(), &mut |line| eprintln!("{line}"))).await;
    let (at, ours) = (server.address(), server.paper("ours.pem").display().to_string());
    let (others, word) = (server.paper("others.pem").display().to_string(), Guarded::PASSWORD);
    let opened = |user: &str, word: &str, rest: String| {
        let url = format!("postgres://{user}:{word}@{at}/postgres?{rest}");
        async move { Options::from_url(&url)?.open().await }
    };
    let store = opened(Guarded::USER, word, format!("ca={ours}")).await.expect("let in");
    assert!(lease(&store, 1, &lane(0), LONG).await.is_some());
    let wrong = opened(Guarded::USER, "not-the-word", format!("ca={ours}")).await.err().expect("refused");
    assert!(matches!(wrong, OpenError::Refused(_)), "{wrong:?}");
    let distrusted = opened(Guarded::USER, word, format!("ca={others}")).await.err().expect("refused");
    assert!(matches!(distrusted, OpenError::Unreachable(_)), "{distrusted:?}");
    assert!(distrusted.to_string().contains("certificate"), "{distrusted}");
    let open = opened(Guarded::USER, word, "sslmode=disable".to_owned()).await.err().expect("refused");
    assert!(matches!(open, OpenError::Refused(_)), "{open:?}");
}
