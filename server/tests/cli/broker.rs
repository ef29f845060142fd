//! The broker and the store by URL: what is refused leaves nothing behind and shows no password.

use crate::kit::{Desk, sample};
use serde_json::json;

/// Refused before anything is made, with this exit code.
fn refused(line: &str, code: i32, says: &str) {
    let desk = Desk::new();
    desk.orders("f.csv", 1, "");
    let before = desk.contents();
    let ended = desk.oms(line);
    assert_eq!((ended.code, ended.out.as_str()), (Some(code), ""), "{line}: {}", ended.err);
    assert!(ended.err.contains(says), "{line}: {}", ended.err);
    assert!(!ended.err.contains("secret"), "{line}: {}", ended.err);
    assert!(desk.contents() == before, "{line} left something behind");
}

#[test]
fn a_broker_that_nobody_knows_is_bad_input() {
    refused("import f.csv --broker redis://me:secret@host", 2, "redis:// is no broker that is known here");
    refused("import f.csv --broker secret", 2, "this is no broker URL");
    refused("demo --broker memory://secret", 2, "memory:// takes no host");
}

#[cfg(not(feature = "nats"))]
#[test]
fn a_broker_that_is_not_built_in_names_the_feature_and_the_build_that_has_it() {
    let line = "import f.csv --broker nats://me:secret@host";
    refused(line, 2, "the feature \"nats\"");
    refused(line, 2, "cargo oms-all");
}

#[cfg(feature = "nats")]
#[test]
fn a_broker_that_does_not_answer_ends_with_exit_code_3() {
    refused(
        "import f.csv --broker nats://me:secret@127.0.0.1:1",
        3,
        "nats://127.0.0.1:1: the nats broker is unavailable",
    );
}

#[test]
fn a_store_that_is_not_built_in_or_is_none_is_bad_input() {
    refused("import f.csv --store mysql://me:secret@host/x", 2, "a store is sqlite:PATH or postgres://");
    refused("check --audit --db f.csv", 2, "only a PostgreSQL store does");
    refused("status --store postgres://me:secret@host", 2, "name the database behind the host");
}

#[test]
fn a_topic_for_each_service_changes_nothing_but_the_copies() {
    let desk = Desk::new();
    desk.orders("f.csv", 40, "");
    let hash = |topics: &str| {
        let db = format!("{topics}.db");
        let answer = desk.done(&format!("--db {db} --topics {topics} import f.csv --json --lanes 3"));
        assert_eq!(answer["by_status"], json!({ "completed": 40 }), "{topics}");
        desk.done(&format!("--db {db} check --json"))["summary_hash"].clone()
    };
    assert_eq!(hash("per-service"), hash("per-type"));
}

#[test]
fn the_lanes_of_the_first_run_stay_and_others_are_refused() {
    let desk = Desk::new();
    desk.orders("f.csv", 2, "");
    desk.done("--store sqlite:a.db import f.csv --json --lanes 7");
    desk.done("--db a.db import f.csv --json");
    let ended = desk.oms("--db a.db import f.csv --json --lanes 4");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(ended.err.contains("a.db was begun with --lanes 7, and 4 is asked for"), "{}", ended.err);
}

#[test]
fn a_plan_of_the_topology_names_what_is_missing_and_applying_it_creates_all() {
    let desk = Desk::new();
    let plan = desk.done("topology plan --json --lanes 6");
    assert_eq!(
        (&plan["lanes"], &plan["applied"], &plan["broker"]),
        (&json!(6), &json!(false), &json!("memory://"))
    );
    let groups = |answer: &serde_json::Value, standing: &str| {
        let groups = answer["groups"].as_array().expect("a list");
        groups.iter().filter(|one| one["standing"] == standing).count()
    };
    assert_eq!(groups(&plan, "missing"), 5);
    assert!(
        plan["topics"].as_array().is_some_and(|topics| topics.contains(&json!("order.shipped"))),
        "{plan}"
    );
    let applied = desk.done("topology apply --json --topics per-service");
    assert_eq!((groups(&applied, "there"), &applied["lanes"]), (5, &json!(4)));
    assert_eq!(applied["topics"], json!(["inventory", "order", "payment", "shipping"]));
    assert!(desk.contents().is_empty(), "no database is made");
}

#[test]
fn a_demo_that_is_struck_in_mid_run_ends_like_one_that_never_was_and_shows_the_providers_own_ledger() {
    let desk = Desk::new();
    desk.write("f.csv", sample(Some("12600")));
    let demo = |db: &str, more: &str| desk.done(&format!("demo --db {db} --file f.csv --json {more}"));
    let never = demo("a.db", "");
    assert!(never["blow"].is_null());
    for (db, more, wiped) in [
        ("b.db", "--wipe-at 50%", true),
        ("c.db", "--then memory://", false),
        ("d.db", "--wipe-at 30 --wipe-with true --then memory:// --topics per-service", true),
    ] {
        let struck = demo(db, more);
        assert_eq!(struck["summary_hash"], never["summary_hash"], "{more}");
        assert_eq!((&struck["violations"], &struck["placed"]), (&json!([]), &never["placed"]), "{more}");
        let blow = &struck["blow"];
        assert_eq!((&blow["wiped"], &blow["then"]), (&json!(wiped), &json!("memory://")), "{more}");
        assert!(blow["owed"].as_u64() > Some(0), "{more}: nothing was on its way: {blow}");
        let captured = |ledger: &str| blow[ledger]["captured_minor"].as_i64().expect("a number");
        assert!(captured("before") < captured("after"), "{more}: {blow}");
        assert_eq!(blow["after"]["charged_twice"], 0, "{more}");
    }
    let text = desk.oms("demo --db e.db --file f.csv --wipe-at 50%").out;
    assert!(text.contains("the payment provider's own ledger") && text.contains("carried on"), "{text}");
}

#[test]
fn what_a_demo_would_go_on_over_is_refused_before_anything_is_stored() {
    refused("demo --then redis://me:secret@host", 2, "redis:// is no broker that is known here");
    refused("demo --file f.csv --wipe-with true", 2, "--wipe-at");
}

#[test]
fn a_worker_needs_a_store_that_several_processes_share() {
    let says = "a.db: oms worker needs a store that several processes share";
    refused("--db a.db worker --service payment", 2, says);
    refused("--db a.db import f.csv --no-services", 2, "an SQLite file belongs to one");
}
