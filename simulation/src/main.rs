//! `cargo xtask simulate`: runs seeds, shows what breaks, and says how to repeat it.

use clap::Parser as _;
use oms_simulation::{Arguments, Campaign, Found, Outcome, Plant, command, run, shrink};
use std::process::ExitCode;

/// A run allocates all the time, and on one thread only.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (plant, cuts) = match (plant(arguments.plant.as_deref()), arguments.cuts()) {
        (Ok(plant), Ok(cuts)) => (plant, cuts),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let whole = cuts == oms_simulation::Cuts::default();
    let found = if arguments.trace || !whole {
        let begun = std::time::Instant::now();
        let mut found = Found::default();
        for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
            let outcome = run(seed, &cuts, plant, arguments.trace);
            show(&outcome);
            found.add(seed, &outcome);
        }
        found.took = begun.elapsed();
        found
    } else {
        let (from, seeds) = (arguments.from, arguments.seeds);
        let found = Campaign { from, seeds, plant, first: false }.run(true);
        explain(&found, plant);
        found
    };
    let never = if arguments.marks { count(&found) } else { Vec::new() };
    println!("{}", found.last_line());
    if found.failed.is_empty() && never.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plant(name: Option<&str>) -> Result<Option<Plant>, String> {
    let Some(name) = name else { return Ok(None) };
    let known = Plant::ALL.iter().find(|plant| plant.name() == name);
    let names = || Plant::ALL.iter().map(|plant| plant.name()).collect::<Vec<_>>().join(", ");
    known.copied().map(Some).ok_or_else(|| format!("there is no bug named {name}; there are {}", names()))
}

fn show(outcome: &Outcome) {
    print!("{}", outcome.trace);
    for wrong in &outcome.wrong {
        println!("VIOLATION {wrong}");
    }
}

/// Shows the first failing seed as small as it gets, and names the others.
fn explain(found: &Found, plant: Option<Plant>) {
    let Some((seed, wrong)) = found.failed.first() else { return };
    println!("seed {seed}: {wrong}\nmaking it smaller ...");
    let (cuts, smallest) = shrink(*seed, plant);
    show(&smallest);
    println!("again: {}", command(*seed, &cuts, plant));
    for (seed, wrong) in &found.failed {
        println!("seed {seed}: {wrong}");
    }
}

/// Prints how often everything was met; gives what never was.
fn count(found: &Found) -> Vec<&'static str> {
    for (name, count) in found.marks.counts() {
        println!("{count:>12}  {name}");
    }
    let never = found.marks.never();
    never.iter().for_each(|name| println!("never met: {name}"));
    never
}
