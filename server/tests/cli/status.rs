//! How the house is, as scripts and people ask for it.

use crate::{kit::Desk, poison::bury};
use serde_json::json;

#[test]
fn a_house_that_is_well_says_so_with_what_waits() {
    let desk = Desk::new();
    bury(&desk);
    let status = desk.done("--db a.db status --json");
    assert_eq!(
        (&status["ok"], &status["dead_letters"], &status["parked"]),
        (&json!(true), &json!(1), &json!(0))
    );
    assert_eq!((&status["backlog"], &status["held"], &status["taken"]), (&json!(0), &json!(0), &json!(0)));
    let away = |port: &serde_json::Value| port["standing"] != "ok";
    let gateways = status["gateways"].as_object().expect("an object");
    assert!(gateways.contains_key("card") && gateways.contains_key("carrier"), "{status}");
    assert!(
        ![&status["store"], &status["broker"]].into_iter().chain(gateways.values()).any(away),
        "{status}"
    );
    let text = desk.oms("--db a.db status").out;
    for says in ["store", "gateway card", "dead letters", "0 of "] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert_eq!(desk.done("--db a.db check --json")["health"]["ok"], json!(true));
}

#[test]
fn a_store_that_another_process_has_is_named_and_ends_with_exit_code_3() {
    let desk = Desk::new();
    bury(&desk);
    let _held = oms_sqlite::open(desk.path("a.db")).expect("it opens");
    let status = desk.oms("--db a.db status --json");
    assert_eq!((status.code, status.out.as_str()), (Some(3), ""));
    assert!(status.err.contains(&format!("process {}", std::process::id())), "{}", status.err);
}
