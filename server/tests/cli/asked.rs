//! What is asked of a database after an import: shown, cancelled, gone on with, in the world of its first run.

use crate::kit::{Desk, end, signal};
use serde_json::json;

/// Cancels the order of customer 1.
const CANCELLATION: &str = "C900,A,thing,-2,1/2/2011 8:00,1.25,c1,United Kingdom\n";

#[test]
fn an_order_is_shown_by_the_sources_number_with_its_whole_story() {
    let desk = Desk::new();
    desk.orders("f.csv", 2, "");
    desk.done("--db a.db import f.csv --json");
    let shown = desk.done("--db a.db orders show 1 --json");
    assert_eq!(
        (&shown["source"], &shown["status"], &shown["kept_minor"]),
        (&json!("1"), &json!("completed"), &json!(250))
    );
    let entries = shown["story"]["entries"].as_array().expect("a list");
    let kinds: Vec<_> = entries.iter().filter_map(|entry| entry["kind"].as_str()).collect();
    for kind in ["OrderPlaced", "StockReserved", "PaymentCaptured", "ShipmentDelivered"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let text = desk.oms("--db a.db orders list").out;
    assert!(text.contains("2.50 GBP"), "{text}");
    assert!(desk.oms("--db a.db check").out.contains("5.00 GBP"));
    let none = desk.oms("--db a.db orders show 3");
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("no order is named 3"), "{}", none.err);
}

#[test]
fn an_order_that_is_not_dispatched_is_cancelled_from_the_command_line_and_one_that_is_gone_is_not() {
    let desk = Desk::new();
    // The cancellation comes after all orders: until then the dispatch of order 1 is held.
    desk.orders("f.csv", 60, CANCELLATION);
    let mut run = desk.start("--db a.db import f.csv --rate 10 --json");
    desk.wait_for_orders("a.db", 5, &mut run);
    signal(&run, "INT");
    assert_eq!(end(run).code, Some(3));
    let cancelled = desk.done("--db a.db orders cancel 1 --reason changed-my-mind --json");
    assert_eq!((&cancelled["accepted"], &cancelled["status"]), (&json!(true), &json!("cancelled")));
    let answer = desk.done("--db a.db import f.csv --json");
    assert_eq!(answer["by_status"], json!({ "cancelled": 1, "completed": 59 }));
    let refused = desk.done("--db a.db orders cancel 2 --json");
    assert_eq!((&refused["accepted"], &refused["status"]), (&json!(false), &json!("completed")));
    assert_ne!(refused["reasons"], json!([]));
    let check = desk.done("--db a.db check --json");
    assert_eq!((&check["violations"], &check["kept_minor"]), (&json!([]), &json!(59 * 250)));
}

#[test]
fn a_file_that_grew_by_a_cancellation_finds_its_orders_again_and_lists_that_it_came_too_late() {
    let desk = Desk::new();
    desk.orders("f.csv", 3, "");
    desk.done("--db a.db import f.csv --json");
    desk.orders("f.csv", 3, CANCELLATION);
    let answer = desk.done("--db a.db import f.csv --json");
    assert_eq!((&answer["placed"], &answer["already_known"]), (&json!(0), &json!(3)));
    assert_eq!(
        (&answer["cancellations_matched"], &answer["by_status"]),
        (&json!(1), &json!({ "completed": 3 }))
    );
    let report = std::fs::read_to_string(desk.path("f.csv.report.csv")).expect("a report");
    assert!(report.contains("5,C900,its order was completed before the cancellation came"), "{report}");
}

#[test]
fn the_world_of_the_first_run_stays_and_a_flag_that_differs_is_refused() {
    let desk = Desk::new();
    desk.orders("f.csv", 12, "");
    let first = desk.done("--db a.db import f.csv --json --decline 50 --seed 7");
    assert!(first["by_status"]["failed"].as_u64() > Some(0), "{first}");
    let before = desk.contents();
    for (line, says) in [
        ("import f.csv --decline 5", "a.db was begun with --decline 50, and 5 is asked for"),
        ("import f.csv --seed 8", "leave --seed out to go on"),
        ("demo --cod 100", "a.db was begun with --cod 0"),
    ] {
        let ended = desk.oms(&format!("--db a.db {line} --json"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.contains(says), "{line}: {}", ended.err);
    }
    assert!(desk.contents() == before, "nothing changed");
    desk.orders("more.csv", 24, "");
    let again = desk.done("--db a.db import more.csv --json");
    let other = Desk::new();
    other.orders("more.csv", 24, "");
    let at_once = other.done("--db a.db import more.csv --json --decline 50 --seed 7");
    assert_eq!(again["by_status"], at_once["by_status"], "the later run drew from the first one's world");
    let hash = |desk: &Desk| desk.done("--db a.db check --json")["summary_hash"].clone();
    assert_eq!(hash(&desk), hash(&other));
}

#[test]
fn a_progress_bar_and_errors_never_come_on_standard_output() {
    let desk = Desk::new();
    desk.orders("f.csv", 3, "4,A,thing,x,1/1/2011 8:00,1.25,c4,United Kingdom\n");
    let ended = desk.oms("--db a.db -vv import f.csv --json");
    assert_eq!(ended.json()["refused_rows"], 1);
    assert!(!ended.err.is_empty(), "what happens is said there");
    let missing = desk.oms("--db b.db check --json");
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
    assert!(missing.err.contains("there is no database b.db"), "{}", missing.err);
}
