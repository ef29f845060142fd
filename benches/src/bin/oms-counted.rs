//! Counts what a pack allocates over the broker whose URL it is given, and says so in JSON.

use oms_benches::{Fault, load::with_runtime, workload::counted};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, env, process::ExitCode};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn count() -> usize {
    let stats = COUNTING.stats();
    stats.allocations + stats.reallocations
}

fn run() -> Result<String, Fault> {
    let url = env::args().nth(1).ok_or_else(|| Fault::void("no URL was given"))?;
    let counted = with_runtime("counting", counted(&url, count))?;
    serde_json::to_string(&counted).map_err(Fault::measured)
}

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("error: {fault}; give it a broker's URL");
            ExitCode::FAILURE
        }
    }
}
