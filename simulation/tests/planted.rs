//! Planted bugs: each is found, and the guards that make up for each other are shown to.

use oms_simulation::{Hunt, Plant};

/// As many seeds as a bug may take to be found.
const SEEDS: u64 = 2_000;

#[test]
fn every_planted_bug_is_found() {
    for plant in Plant::ALL.iter().copied().filter(|plant| plant.is_here() && !plant.is_harmless()) {
        let (first, name) = (plant.first(), plant.name());
        // One run, unless the house has changed since the first seed was written down.
        let hunt = Hunt::of(plant, first..first + SEEDS, 1);
        assert!(hunt.found > 0, "{name} was not found in {SEEDS} seeds");
        let (seed, what) = hunt.first.unwrap_or_default();
        println!("{name}: seed {seed}, after {} runs: {what}", hunt.seeds);
    }
}

#[test]
fn a_guard_for_which_others_make_up_is_not_missed_alone() {
    for plant in Plant::ALL.iter().copied().filter(|plant| plant.is_here() && plant.is_harmless()) {
        let hunt = Hunt::of(plant, 0..100, 1);
        assert_eq!(hunt.first, None, "{}", plant.name());
    }
}

#[test]
fn most_bugs_can_be_planted_around_the_production_code_as_it_is() {
    let around = Plant::ALL.iter().filter(|plant| plant.is_here()).count();
    assert!(around >= 25, "{around} of {}", Plant::ALL.len());
}
