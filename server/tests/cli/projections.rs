//! Read models as the command line lists, builds and verifies them, killed in between.

use crate::kit::{Desk, HEADER, end};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MODELS: [&str; 5] = ["orders", "stock", "money", "sagas", "funnel"];

fn imported(orders: usize) -> Desk {
    let desk = Desk::new();
    desk.orders("f.csv", orders, "");
    desk.done("--db a.db import f.csv --json --decline 20 --seed 3");
    desk
}

/// The hash of every model that is shown, each equal to a fresh fold.
fn verified(desk: &Desk) -> Vec<Value> {
    let answer = desk.done("--db a.db projections verify --json");
    let all = answer["projections"].as_array().expect("a list").clone();
    assert_eq!(all.iter().map(|one| &one["model"]).collect::<Vec<_>>(), MODELS);
    assert!(all.iter().all(|one| one["equal"] == true && one["hash"] == one["fresh_hash"]), "{answer}");
    all.iter().map(|one| one["hash"].clone()).collect()
}

fn number(desk: &Desk, sql: &str) -> i64 {
    let db = Connection::open_with_flags(desk.path("a.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    db.and_then(|db| db.query_row(sql, [], |row| row.get(0))).unwrap_or(0)
}

#[test]
fn a_rebuild_that_is_killed_goes_on_where_it_stopped_and_ends_with_the_hash_of_what_was_shown() {
    let desk = imported(120);
    let before = verified(&desk);
    let mut run = desk.start("--db a.db projections rebuild orders --rate 1000 --json");
    let read =
        "SELECT coalesce(sum(position), 0) FROM model_cursor JOIN generation ON generation.id = generation
        WHERE model = 'orders' AND stage = 0";
    let until = Instant::now() + Duration::from_secs(60);
    while number(&desk, read) == 0 {
        assert!(Instant::now() < until, "it never saved");
        assert!(run.try_wait().expect("a child").is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().expect("it is killed");
    assert_eq!(end(run).code, None, "a signal ended it");
    let saved = number(&desk, read);
    let listed = desk.done("--db a.db projections list --json");
    let orders = &listed["projections"][0];
    assert!(orders["building"].as_u64() > orders["live"].as_u64(), "one is shown while the other is built");
    let built = desk.done("--db a.db projections rebuild orders --json");
    let built = &built["projections"][0];
    assert_eq!(built["resumed_at"], saved, "from where it was saved, not from zero: {built}");
    assert!(built["resumed_at"].as_u64() < built["done"].as_u64(), "it was killed in the middle");
    assert_eq!((&built["hash"], &built["equal"]), (&before[0], &json!(true)));
    assert_eq!(built["generation"], orders["building"]);
    assert_eq!(verified(&desk), before);
    assert_eq!(number(&desk, "SELECT count(*) FROM generation WHERE stage <> 1"), 0, "nothing is left over");
    let rows = number(&desk, "SELECT count(DISTINCT generation) FROM model_row");
    assert_eq!(rows, MODELS.len() as i64);
}

#[test]
fn a_row_that_says_what_the_events_do_not_is_found_and_a_rebuild_mends_it() {
    let desk = imported(5);
    let before = verified(&desk);
    let db = Connection::open(desk.path("a.db")).expect("it opens");
    db.execute(
        "UPDATE model_row SET mark2 = 'paid' || key WHERE key LIKE 'of/%' AND mark2 LIKE 'completed%'",
        [],
    )
    .expect("it is changed");
    drop(db);
    let found = desk.oms("--db a.db projections verify orders --json");
    assert_eq!((found.code, &found.json()["projections"][0]["equal"]), (Some(1), &json!(false)));
    assert!(found.err.contains("not what the events say: orders"), "{}", found.err);
    let built = desk.done("--db a.db projections rebuild orders --json");
    let built = &built["projections"][0];
    assert_eq!((&built["equal"], &built["hash"]), (&json!(false), &before[0]));
    assert_eq!(verified(&desk), before);
}

#[test]
fn an_event_that_cannot_be_read_stops_its_stream_and_is_named_and_the_others_go_on() {
    let desk = imported(3);
    let db = Connection::open(desk.path("a.db")).expect("it opens");
    let events =
        "SELECT id, stream, events FROM event WHERE kind = 'order' AND version > 1 ORDER BY id LIMIT 1";
    let (id, stream, bytes): (i64, String, Vec<u8>) =
        db.query_row(events, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("an event");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let broken = bytes.iter().position(|byte| *byte == b'O').expect("its kind begins with it");
    let mut other = bytes.clone();
    other[broken] = b'X';
    db.execute("UPDATE event SET events = ?1 WHERE id = ?2", rusqlite::params![other, id]).expect("broken");
    drop(db);
    desk.done("--db a.db projections rebuild --json");
    let listed = desk.done("--db a.db projections list --json");
    let stopped = listed["projections"][0]["stopped"].as_array().expect("a list").clone();
    assert_eq!(stopped.len(), 1, "{listed} {text}");
    let why = stopped[0].as_str().expect("a text");
    assert!(why.contains(&format!("order/{stream} version 2: XrderStockHeld is not known here")), "{why}");
    let orders = desk.done("--db a.db orders list --status completed --json");
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(2), "the others went on: {orders}");
    assert!(desk.oms("--db a.db projections list").out.contains("stopped in orders: order/"));
}

#[test]
fn an_event_that_is_missing_stops_its_stream_and_is_named_and_the_others_go_on() {
    let desk = imported(3);
    let db = Connection::open(desk.path("a.db")).expect("it opens");
    let third =
        "SELECT id, stream, version FROM event WHERE kind = 'order' AND version > 2 ORDER BY id LIMIT 1";
    let row = db.query_row(third, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let (id, stream, version): (i64, String, i64) = row.expect("an event");
    db.execute("DELETE FROM event WHERE id = ?1", [id]).expect("it is gone");
    drop(db);
    desk.done("--db a.db projections rebuild --json");
    let listed = desk.done("--db a.db projections list --json");
    for (place, model) in [(0, "orders"), (3, "sagas"), (4, "funnel")] {
        let stopped = &listed["projections"][place]["stopped"];
        let why = stopped[0].as_str().expect(model);
        assert!(why.starts_with(&format!("order/{stream} version {version}: it is missing before")), "{why}");
        assert_eq!(stopped.as_array().map(Vec::len), Some(1), "{stopped}");
    }
    let orders = desk.done("--db a.db orders list --status completed --json");
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(2), "the others went on: {orders}");
}

#[test]
fn orders_are_listed_by_customer_status_and_time_and_a_page_goes_on_where_the_last_ended() {
    let desk = Desk::new();
    let rows = "8,A,thing,2,1/1/2011 8:00,1.25,c1,United Kingdom\n9,A,thing,3,1/1/2011 8:00,1.25,c1,United Kingdom\n";
    desk.write("f.csv", format!("{HEADER}{rows}"));
    desk.done("--db a.db import f.csv --json");
    desk.orders("g.csv", 3, "");
    desk.done("--db a.db import g.csv --json");
    let sources = |line: &str| {
        let answer = desk.done(&format!("--db a.db orders list {line} --json"));
        let orders = answer["orders"].as_array().expect("a list").clone();
        (orders.iter().map(|one| one["source"].clone()).collect::<Vec<_>>(), answer["next"].clone())
    };
    let (mine, next) = sources("--customer c1 --status completed");
    assert_eq!((mine.len(), next), (3, Value::Null));
    let (all, _) = sources("--since 2001-01-01T00:00:00Z");
    assert_eq!(all.len(), 5);
    let (page, next) = sources("--since 2001-01-01T00:00:00Z --limit 3");
    let after = next.as_str().expect("more follow").to_owned();
    let (rest, next) = sources(&format!("--since 2001-01-01T00:00:00Z --limit 3 --after {after}"));
    assert_eq!(([page, rest].concat(), next), (all, Value::Null));
    assert_eq!(sources("--since 2101-01-01T00:00:00Z").0, [] as [Value; 0]);
    let unknown = desk.oms("--db a.db projections rebuild nothing");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("use one of orders, stock, money, sagas, funnel"), "{}", unknown.err);
}
