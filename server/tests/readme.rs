//! Every command of the root README runs as it stands there.

#![expect(clippy::expect_used, clippy::panic, reason = "every line of this file is a test")]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The one command that is not run here: it runs these tests.
const TESTS: &str = "cargo xtask test";

/// The lines of every fenced `sh` block.
fn commands() -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the README is there");
    let mut lines = Vec::new();
    let mut shell = false;
    for line in text.lines() {
        match line.trim() {
            "```sh" => shell = true,
            "```" => shell = false,
            line if shell && !line.is_empty() => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

fn run(folder: &Path, line: &str) -> Output {
    let Some(args) = line.strip_prefix("cargo oms ") else {
        panic!("{line}: a command of the README is one of cargo oms, or {TESTS}")
    };
    let command =
        Command::new(env!("CARGO_BIN_EXE_oms")).args(args.split_whitespace()).current_dir(folder).output();
    let output = command.expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(0), "{line}: {}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.stderr.is_empty(), "{line}: {}", text(&output.stderr));
    output
}

fn object(line: &str, output: &Output) -> Value {
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(value.is_object(), "{line}: {value}");
    value
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("examples/data");
    fs::create_dir_all(&data).expect("a folder");
    let sample = "examples/data/online-retail-sample.csv";
    fs::copy(Path::new(ROOT).join(sample), folder.path().join(sample)).expect("the sample is copied");
    let commands = commands();
    assert!(commands.iter().any(|line| line == TESTS), "{commands:?}");
    // Those of one database run in order; databases have nothing to do with each other.
    let (demos, others): (Vec<_>, Vec<_>) =
        commands.iter().filter(|line| *line != TESTS).partition(|line| !line.contains("--db"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            demos.iter().for_each(|line| holds(folder.path(), line));
            the_demo_goes_on(folder.path());
        });
        others.iter().for_each(|line| holds(folder.path(), line));
    });
}

/// Runs a command, and holds what it prints to what is promised.
fn holds(folder: &Path, line: &str) {
    let output = run(folder, line);
    if !line.contains("--json") {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.is_empty(), "{line} prints something");
        if line.ends_with(" demo") {
            shows_all_figures(&text);
        }
        return;
    }
    let value = object(line, &output);
    if line.contains(" import ") {
        let expected = [("orders", 610), ("rows", 11_474), ("cancellation_invoices", 155)];
        let more = [("cancellations_matched", 7), ("gross_minor", 36_021_858), ("placed", 610)];
        for (name, wanted) in expected.into_iter().chain(more) {
            assert_eq!(value[name], wanted, "{name}");
        }
    }
    if line.contains(" check ") {
        assert_eq!(value["violations"], serde_json::json!([]));
    }
}

/// The table of a first demo: what it cost, money as people write it, and the invariants that only a house at rest can show.
fn shows_all_figures(text: &str) {
    let wanted = [
        "orders per second",
        "rows written per order",
        "commits",
        "duplicates suppressed",
        // Captured, by the demo's seed.
        "334680.78 GBP",
        " 2. the stock ledger balances",
        " 3. stock counters equal the reservations",
        "18. nothing is owed but what is buried",
    ];
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

/// A second demo on the same file says what it found, and its object has the figures of the table.
fn the_demo_goes_on(folder: &Path) {
    let output = run(folder, "cargo oms demo");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("demo.db has all 610 orders of this file from an earlier run"), "{text}");
    assert!(text.contains("stock counters equal the reservations"), "{text}");
    assert!(text.contains("OrderFailing"), "the story of an order that failed: {text}");
    let again = object("demo --json", &run(folder, "cargo oms demo --json"));
    let (placed, known) = (&again["placed"], &again["already_known"]);
    assert_eq!((placed.as_u64(), known.as_u64(), again["cost"].is_null()), (Some(0), Some(610), true));
    let pounds = &again["money"]["GBP"];
    assert!(pounds["refunded_minor"].as_i64() > Some(0), "{pounds}");
    let numbers: Vec<_> =
        again["invariants"].as_array().expect("a list").iter().map(|one| &one["invariant"]).collect();
    assert_eq!(numbers.len() as u64, again["invariants_checked"].as_u64().expect("a number"));
    for wanted in [2, 3, 18] {
        assert!(numbers.iter().any(|number| **number == wanted), "invariant {wanted}: {numbers:?}");
    }
    assert_eq!(again["violations"], serde_json::json!([]));
    assert!(
        again["story"]["entries"].as_array().is_some_and(|entries| entries.len() > 3),
        "{}",
        again["story"]
    );
}
