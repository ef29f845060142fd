//! Plants one bug after another, looks for each, and prints the table of `docs/planted-bugs.md`.
//!
//! Its first argument is the number of seeds (2,000 unless said otherwise), its second how often each bug is to be found
//! (20). Bugs that take a guard out of the store need a build of their own, with `--cfg oms_mutants`.

use oms_simulation::{Hunt, Plant, hunt_all, plants_table};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(seeds), Ok(enough)) = (numbers.next().unwrap_or(Ok(2_000)), numbers.next().unwrap_or(Ok(20)))
    else {
        eprintln!("give the number of seeds, and how often each bug is to be found");
        return ExitCode::from(2);
    };
    let hunts = hunt_all(seeds, enough);
    print!("{}", plants_table(&hunts));
    let unexpected = |(plant, hunt): &&(Plant, Hunt)| !hunt.is_as_expected(*plant);
    let mut failed = false;
    for (plant, hunt) in hunts.iter().filter(unexpected) {
        let wanted = if plant.is_harmless() { "must be harmless alone" } else { "must be found" };
        eprintln!("{} {wanted}: found in {} of {} seeds", plant.name(), hunt.found, hunt.seeds);
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
