//! Orders that will not end by themselves: found, and named with phase, reason and since when.

use crate::{
    kit::Desk,
    poison::{answer, bury, given},
};
use oms_core::{clock::Timestamp, id::order_id};
use oms_server::import::PRINCIPAL;
use rusqlite::Connection;
use serde_json::{Value, json};

/// The one stuck order, which both commands must name alike, for scripts and for people.
fn stuck(desk: &Desk, phase: &str, words: &str) -> Value {
    let listed = desk.done("--db a.db orders list --stuck --json");
    let check = desk.done("--db a.db check --json");
    assert_eq!(listed["stuck"], check["stuck"], "both name the same");
    assert_eq!(check["violations"], json!([]), "for a person, and no broken promise");
    let [one] = listed["stuck"].as_array().expect("a list").as_slice() else {
        panic!("one is stuck: {listed}")
    };
    let order = order_id(PRINCIPAL, "1");
    assert_eq!(one["order"], json!(order));
    let since = one["since"].as_str().expect("a time");
    assert!(Timestamp::parse(since).is_some_and(|since| since > Timestamp(0)), "{one}");
    for line in ["orders list --stuck", "check"] {
        let text = desk.oms(&format!("--db a.db {line}")).out;
        for says in [order.as_str(), phase, since, words] {
            assert!(text.contains(says), "{line}: {says}: {text}");
        }
    }
    one.clone()
}

#[test]
fn an_order_with_a_dead_letter_is_stuck_by_it_until_it_is_handled() {
    let desk = Desk::new();
    bury(&desk);
    let one = stuck(&desk, "AwaitingPayment", "dead letter 1: payment gave up EffectAnswered");
    assert_eq!((&one["reason"]["kind"], &one["reason"]["number"]), (&json!("dead_letter"), &json!(1)));
    let letter = desk.done("--db a.db dead-letters show 1 --json");
    assert_eq!(one["since"], letter["time"], "since it was buried");
}

#[test]
fn an_order_of_which_nothing_is_in_flight_is_stuck_since_its_newest_event() {
    let desk = Desk::new();
    bury(&desk);
    let db = Connection::open(desk.path("a.db")).expect("it opens");
    // What no bug of ours may do: somebody deletes what is owed by hand.
    for table in ["dead", "parked", "effect", "alarm", "shared", "pack"] {
        db.execute(&format!("DELETE FROM {table}"), []).expect("it is deleted");
    }
    drop(db);
    let one = stuck(&desk, "AwaitingPayment", "nothing is in flight for it; a message was lost");
    assert_eq!(one["reason"], json!({ "kind": "nothing_in_flight" }));
}

#[test]
fn an_order_that_a_person_must_look_at_is_stuck_since_it_was_asked() {
    let desk = Desk::new();
    bury(&desk);
    // The provider knows nothing of what this says, so that nothing can be captured once the parcel has left.
    let authorised = answer(&json!({ "report": "authorised", "reference": "R-1" }));
    let edited = given(&desk, "--db a.db dead-letters edit 1 --body - --json", &authorised).json();
    assert_eq!(edited["fate"], "handled");
    let one = stuck(
        &desk,
        "NeedsAttention",
        "a person must look: the parcel has left, and its payment cannot be taken",
    );
    assert_eq!(one["reason"]["kind"], "needs_attention");
    let story = desk.done("--db a.db orders show 1 --json");
    let mut entries = story["story"]["entries"].as_array().expect("a list").iter();
    let asked =
        entries.find(|entry| entry["kind"] == "OrderNeedsAttention").and_then(|entry| entry["time"].as_i64());
    assert_eq!(asked.map(|time| json!(Timestamp(time).to_string())).as_ref(), Some(&one["since"]));
}

#[test]
fn an_order_that_is_under_way_or_has_ended_is_not_stuck() {
    let desk = Desk::new();
    desk.orders("f.csv", 3, "");
    desk.done("--db a.db import f.csv --json");
    assert_eq!(desk.done("--db a.db check --json")["stuck"], json!([]));
    assert_eq!(desk.done("--db a.db orders list --stuck --json")["stuck"], json!([]));
}
