//! A message that can never be handled: put aside, found, shown with its history, tried again once, or replaced by a copy.

use crate::{
    kit::Desk,
    poison::{answer, bury, bury_many, given},
};
use oms_core::id::order_id;
use oms_server::import::PRINCIPAL;
use serde_json::json;

#[test]
fn a_dead_letter_is_shown_with_the_order_that_it_stops_and_redriven_once() {
    let desk = Desk::new();
    bury(&desk);
    let letters = desk.done("--db a.db dead-letters list --json");
    let letter = &letters["dead_letters"][0];
    assert_eq!(
        (&letter["number"], &letter["group"], &letter["state"]),
        (&json!(1), &json!("payment"), &json!("buried"))
    );
    assert!(desk.oms("--db a.db dead-letters show 1").out.contains("fine, thanks"));
    let stuck = desk.done("--db a.db orders list --stuck --json");
    let one = &stuck["stuck"][0];
    assert_eq!(one["order"], json!(order_id(PRINCIPAL, "1")));
    assert_eq!((&one["reason"]["kind"], &one["reason"]["number"]), (&json!("dead_letter"), &json!(1)));
    let text = desk.oms("--db a.db orders list --stuck").out;
    assert!(text.contains("dead letter 1: payment gave up"), "{text}");
    let attempts = letter["attempts"].as_u64();
    let redriven = desk.done("--db a.db dead-letters redrive --all --json");
    assert_eq!(redriven, json!({ "redriven": 1, "buried_again": 1 }), "nonsense stays nonsense");
    let letters = desk.done("--db a.db dead-letters list --json");
    assert_eq!(letters["dead_letters"].as_array().map(Vec::len), Some(1), "it is the same letter");
    assert!(letters["dead_letters"][0]["attempts"].as_u64() > attempts, "{letters}");
    assert_eq!(desk.done("--db a.db dead-letters redrive 9 --json")["redriven"], 0);
    assert_eq!(
        desk.done("--db a.db check --json")["violations"],
        json!([]),
        "a stuck order breaks no promise"
    );
    let missing = desk.oms("--db a.db dead-letters show 9");
    assert_eq!(missing.code, Some(2));
}

#[test]
fn letters_are_browsed_by_filter_and_page_in_either_order() {
    let desk = Desk::new();
    bury_many(&desk, 5);
    let numbers = |line: &str| {
        let answer = desk.done(&format!("--db a.db dead-letters list --json {line}"));
        let letters = answer["dead_letters"].as_array().expect("a list").clone();
        let numbers: Vec<u64> = letters.iter().filter_map(|one| one["number"].as_u64()).collect();
        (numbers, answer["next"].as_u64())
    };
    assert_eq!(numbers("--limit 2"), (vec![1, 2], Some(2)));
    assert_eq!(numbers("--limit 2 --after 2"), (vec![3, 4], Some(4)));
    assert_eq!(numbers("--limit 2 --after 4"), (vec![5], None));
    assert_eq!(numbers("--limit 5"), (vec![1, 2, 3, 4, 5], None), "a full last page is the last");
    assert_eq!(numbers("--newest --limit 2"), (vec![5, 4], Some(4)));
    assert_eq!(numbers("--newest --after 4"), (vec![3, 2, 1], None));
    assert_eq!(numbers("--group payment --kind EffectAnswered --state buried").0.len(), 5);
    assert_eq!(numbers("--group shipping").0.len(), 0);
    assert_eq!(numbers("--kind RequestPayment").0.len(), 0);
    assert_eq!(numbers("--state handled").0.len(), 0);
    assert_eq!(numbers("--order 3").0.len(), 1);
    assert_eq!(numbers(&format!("--key {}", order_id(PRINCIPAL, "3"))).0.len(), 1);
    assert_eq!(numbers("--error JSON").0.len(), 5);
    assert_eq!(numbers("--error JSON --order 2 --group payment").0.len(), 1);
    let page = desk.oms("--db a.db dead-letters list --limit 2").out;
    assert!(page.contains("more follow: --after 2"), "{page}");
    for (line, says) in
        [("--order 99", "no order is named 99"), ("--state lost", "is no state"), ("--limit 0", "limit")]
    {
        let refused = desk.oms(&format!("--db a.db dead-letters list {line}"));
        assert_eq!((refused.code, refused.err.contains(says)), (Some(2), true), "{line}: {}", refused.err);
    }
}

#[test]
fn letters_of_one_cause_are_one_line_of_the_summary() {
    let desk = Desk::new();
    bury_many(&desk, 7);
    let answer = desk.done("--db a.db dead-letters summary --json");
    let causes = answer["causes"].as_array().expect("a list");
    assert_eq!(causes.len(), 1, "{answer}");
    let one = &causes[0];
    assert_eq!(
        (&one["letters"], &one["states"], &one["first"]),
        (&json!(7), &json!({ "buried": 7 }), &json!(1))
    );
    let text = desk.oms("--db a.db dead-letters summary --group payment").out;
    assert!(
        text.contains("7 buried") && text.contains("the answer of card to #/authorise/# is not JSON"),
        "{text}"
    );
    assert_eq!(desk.done("--db a.db dead-letters summary --group order --json"), json!({ "causes": [] }));
}

#[test]
fn a_letter_is_shown_with_its_cause_its_original_its_history_and_what_to_do_next() {
    let desk = Desk::new();
    bury(&desk);
    desk.done("--db a.db dead-letters redrive 1 --by eve --json");
    let shown = desk.done("--db a.db dead-letters show 1 --json");
    let order = order_id(PRINCIPAL, "1");
    assert_eq!((&shown["order"], &shown["body"]), (&json!(order), &json!("fine, thanks")));
    assert_eq!(shown["cause"]["kind"], "answer");
    let history: Vec<_> =
        shown["history"].as_array().expect("a list").iter().map(|one| &one["kind"]).collect();
    assert_eq!(history, ["MessageBuried", "RedriveRequested", "MessageBuried"]);
    let text = desk.oms("--db a.db dead-letters show 1").out;
    for says in [
        "eve asked for dead letter 1",
        "original, 12 bytes\nfine, thanks\n",
        "oms dead-letters redrive 1",
        "oms dead-letters edit 1 --body FILE",
        &format!("oms orders show {order}"),
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn an_edited_copy_is_handled_in_place_of_the_original_and_the_order_goes_on() {
    let desk = Desk::new();
    bury(&desk);
    let declined = answer(&json!({ "report": "declined", "last_word": true, "reason": "no" }));
    desk.write("body", &declined);
    let line = "--db a.db dead-letters edit 1 --body body --by eve --json";
    let edited = desk.done(line);
    assert_eq!(
        (&edited["sent"], &edited["edit"], &edited["fate"]),
        (&json!(true), &json!(1), &json!("handled")),
        "{edited}"
    );
    let again = given(&desk, "--db a.db dead-letters edit 1 --body - --json", &declined).json();
    assert_eq!((&again["sent"], &again["copy"]), (&json!(false), &edited["copy"]), "asked twice, sent once");
    let shown = desk.done("--db a.db dead-letters show 1 --json");
    assert_eq!(
        (&shown["state"], &shown["body"]),
        (&json!("replaced"), &json!("fine, thanks")),
        "the original stays"
    );
    assert_eq!((&shown["copies"][0]["by"], &shown["copies"][0]["fate"]), (&json!("eve"), &json!("handled")));
    assert_eq!(desk.done("--db a.db orders list --stuck --json")["stuck"], json!([]));
    let order = desk.done("--db a.db orders show 1 --json");
    assert_eq!(order["status"], "failed");
    let story = order.to_string();
    assert!(story.contains("PaymentDeclined") && story.contains("MessageReplaced"), "{story}");
    assert_eq!(
        desk.done("--db a.db dead-letters redrive --all --json")["redriven"],
        0,
        "a copy stands for it"
    );
}

#[test]
fn a_copy_that_the_group_could_never_handle_is_refused_and_nothing_is_written() {
    let desk = Desk::new();
    bury(&desk);
    let before = desk.done("--db a.db dead-letters show 1 --json");
    let line = "--db a.db dead-letters edit 1 --body -";
    for (line, body, says) in [
        (line.to_owned(), &b"{\"answer\":"[..], "is not JSON"),
        (line.to_owned(), b"{}", "cannot be read: missing field"),
        (format!("{line} --kind Frobnicate"), b"{}", "Frobnicate is not known here"),
        ("--db a.db dead-letters edit 9 --body -".to_owned(), b"{}", "there is no dead letter 9"),
        ("--db a.db dead-letters edit 1 --body nowhere".to_owned(), b"", "nowhere: the body cannot be read"),
    ] {
        let refused = given(&desk, &line, body);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{line}: {}", refused.err);
        assert!(refused.err.contains(says), "{says}: {}", refused.err);
    }
    assert_eq!(desk.done("--db a.db dead-letters show 1 --json"), before);
}

#[test]
fn letters_are_redriven_by_filter_and_a_dry_run_only_lists_them() {
    let desk = Desk::new();
    bury_many(&desk, 4);
    let redrive = |line: &str| desk.done(&format!("--db a.db dead-letters redrive {line} --json"));
    let would = redrive("--group payment --error JSON --dry-run");
    assert_eq!(would["would_redrive"], 4);
    assert_eq!(would["dead_letters"].as_array().map(Vec::len), Some(4));
    let listed = desk.oms("--db a.db dead-letters redrive --all --dry-run").out;
    assert!(listed.contains("4 would be tried again; nothing was changed"), "{listed}");
    let attempts = || {
        let answer = desk.done("--db a.db dead-letters list --json");
        let letters = answer["dead_letters"].as_array().expect("a list").clone();
        letters.iter().filter_map(|one| one["attempts"].as_u64()).sum::<u64>()
    };
    let before = attempts();
    assert_eq!(redrive("--order 2"), json!({ "redriven": 1, "buried_again": 1 }));
    assert_eq!(attempts(), before + 1, "only that of the order");
    assert_eq!(redrive("--group payment --kind RequestPayment")["redriven"], 0);
    assert_eq!(redrive("--kind EffectAnswered --group payment")["redriven"], 4);
    assert_eq!(attempts(), before + 5);
    for line in ["", "--all --group payment", "--dry-run", "1 --all"] {
        assert_eq!(desk.oms(&format!("--db a.db dead-letters redrive {line}")).code, Some(2), "{line}");
    }
}
