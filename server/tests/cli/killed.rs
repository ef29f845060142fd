//! Runs that are killed or interrupted, and go on as if nothing had been.

use crate::kit::{Desk, end, sample, signal};
use oms_core::gateway::journal::{self, Journal as _};
use oms_server::ledger::Ledger;
use std::sync::OnceLock;

/// With the optimiser the whole sample, as it is promised; without it a part, so that the suite stays short.
const SLICE: Option<&str> = if cfg!(debug_assertions) { Some("12650") } else { None };
const KILLS: [u64; 5] =
    if cfg!(debug_assertions) { [20, 40, 60, 80, 100] } else { [100, 200, 300, 400, 500] };
const RATE: u32 = if cfg!(debug_assertions) { 40 } else { 150 };
const FLAGS: &str = "--upi 10 --cod 10 --decline 5 --seed 5";

/// The hash of a run that nobody disturbs.
fn undisturbed() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let desk = Desk::new();
        desk.write("file.csv", sample(SLICE));
        let answer = desk.done(&format!("--db a.db import file.csv --json {FLAGS}"));
        assert_eq!((&answer["placed"], &answer["already_known"]), (&answer["orders"], &0.into()));
        assert!(answer["cancellations_matched"].as_u64() > Some(0), "{answer}");
        checked(&desk)
    })
}

/// Checks the database and the books of the outside world; gives the hash.
fn checked(desk: &Desk) -> String {
    let check = desk.done("--db a.db check --json");
    assert_eq!(check["violations"], serde_json::json!([]));
    let lines =
        Ledger::open(&Ledger::place(&desk.path("a.db"))).expect("it opens").load().expect("it is read");
    let books = journal::Ledger::of(&lines);
    assert_eq!(books.charged_twice(), 0);
    assert_eq!(
        check["captured_minor"].as_i64().map(|all| all >= books.total().captured),
        Some(true),
        "cash is not in them"
    );
    assert_eq!(check["refunded_minor"], books.total().refunded);
    check["summary_hash"].as_str().expect("a hash").to_owned()
}

#[test]
fn an_import_that_is_killed_five_times_ends_like_one_that_never_was() {
    let desk = Desk::new();
    desk.write("file.csv", sample(SLICE));
    for kill in KILLS {
        // The flags are those of the first run; the later ones find them again.
        let flags = if kill == KILLS[0] { FLAGS } else { "" };
        let mut run = desk.start(&format!("--db a.db import file.csv --json --rate {RATE} {flags}"));
        desk.wait_for_orders("a.db", kill, &mut run);
        run.kill().expect("it is killed");
        assert_eq!(end(run).code, None, "a signal ended it");
    }
    let answer = desk.done("--db a.db import file.csv --json");
    let known = answer["already_known"].as_u64().expect("a number");
    assert!(known >= KILLS[4], "{answer}");
    assert_eq!(
        known + answer["placed"].as_u64().expect("a number"),
        answer["orders"].as_u64().expect("a number")
    );
    assert_eq!(checked(&desk), undisturbed());
}

#[test]
fn an_import_that_is_interrupted_says_so_and_the_next_run_goes_on() {
    let desk = Desk::new();
    desk.write("file.csv", sample(SLICE));
    let mut run = desk.start(&format!("--db a.db import file.csv --json --rate {RATE} {FLAGS}"));
    desk.wait_for_orders("a.db", KILLS[1], &mut run);
    signal(&run, "INT");
    let ended = end(run);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.err.contains("the same command goes on where it stopped"), "{}", ended.err);
    let placed = ended.json()["placed"].as_u64().expect("a number");
    assert!((KILLS[1]..KILLS[4]).contains(&placed), "{placed}");
    let answer = desk.done(&format!("--db a.db import file.csv --json {FLAGS}"));
    assert_eq!(answer["already_known"], placed);
    assert_eq!(checked(&desk), undisturbed());
}
