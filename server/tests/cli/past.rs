//! An order as it was, and what changed of it, as the command line shows them.

use crate::kit::Desk;
use serde_json::json;

#[test]
fn an_order_is_shown_as_it_was_at_a_version_and_at_a_time_and_its_changes_are_named() {
    let desk = Desk::new();
    desk.orders("f.csv", 2, "");
    desk.done("--db a.db import f.csv --json");
    let placed = desk.done("--db a.db orders show 1 --version 1 --json");
    assert_eq!((&placed["version"], &placed["summary"]["status"]), (&json!(1), &json!("pending")));
    let moment = placed["story"]["entries"][0]["time"].as_i64().expect("a time");
    let at = oms_core::clock::Timestamp(moment);
    let then = desk.done(&format!("--db a.db orders show 1 --at {at} --json"));
    assert_eq!((&then["version"], &then["time"]), (&json!(1), &json!(moment)));
    let found = desk.done("--db a.db orders diff 1 --json");
    assert_eq!(found["from"], 1);
    let changes = found["changes"].as_array().expect("a list");
    let status = json!({ "field": "status", "from": "pending", "to": "completed" });
    assert!(changes.contains(&status), "{found}");
    let newest = found["to"].as_u64().expect("a version");
    let text = desk.oms(&format!("--db a.db orders diff 1 --from {newest} --to 1")).out;
    assert!(text.contains("completed -> pending"), "{text}");
    for (line, says) in [
        (format!("orders show 1 --version {}", newest + 1), format!("its versions are 1 to {newest}")),
        (format!("orders diff 1 --to {}", newest + 1), format!("its versions are 1 to {newest}")),
        ("orders show 1 --at 2001-01-01T00:00:00Z".to_owned(), "was not placed at 2001-01-01".to_owned()),
        ("orders show 1 --at yesterday".to_owned(), "write it with its zone".to_owned()),
    ] {
        let ended = desk.oms(&format!("--db a.db {line}"));
        assert_eq!(ended.code, Some(2), "{line}");
        assert!(ended.err.contains(&says), "{line}: {}", ended.err);
    }
}
