//! Runs as a whole: the same seed takes the same way, a calm one meets nothing, and trouble is met.

use oms_simulation::{Cuts, Fault, Marks, run};
use std::time::Duration;

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in [3, 11, 29] {
        let (once, twice) =
            (run(seed, &Cuts::default(), None, true), run(seed, &Cuts::default(), None, true));
        assert!(once.trace.len() > 10_000, "seed {seed} tells {} bytes", once.trace.len());
        assert!(once.trace == twice.trace, "seed {seed} took another way the second time");
        let untraced = run(seed, &Cuts::default(), None, false);
        assert_eq!((untraced.polls, untraced.lasted), (once.polls, once.lasted), "watching changes nothing");
    }
}

#[test]
fn a_run_from_which_all_trouble_is_cut_meets_none() {
    let cuts = Cuts {
        faults: Fault::ALL.iter().copied().collect(),
        trouble: Some(Duration::ZERO),
        ..Cuts::default()
    };
    for seed in 0..4 {
        let outcome = run(seed, &cuts, None, false);
        assert_eq!(outcome.wrong, [""; 0], "seed {seed}");
        let met: Vec<Fault> =
            Fault::ALL.iter().copied().filter(|fault| outcome.marks.of(*fault) > 0).collect();
        assert_eq!(met, [], "seed {seed}");
    }
}

#[test]
fn customers_that_are_cut_do_not_come() {
    let cuts = Cuts { orders: (1..oms_simulation::ORDERS).collect(), ..Cuts::default() };
    let outcome = run(5, &cuts, None, true);
    assert_eq!(outcome.wrong, [""; 0]);
    let customers = outcome.trace.lines().filter(|line| line.contains(": placed ")).count();
    assert!((1..=2).contains(&customers), "{customers}");
}

#[test]
fn a_hundred_seeds_break_no_promise_and_meet_most_of_what_there_is() {
    let mut marks = Marks::default();
    for seed in 0..100 {
        let outcome = run(seed, &Cuts::default(), None, false);
        assert_eq!(outcome.wrong, [""; 0], "seed {seed}");
        marks.add(&outcome.marks);
    }
    let never = marks.never();
    assert!(never.len() < 8, "{never:?} were never met");
}
