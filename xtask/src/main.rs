//! The command line of `cargo xtask`.

mod bench;
mod campaign;
mod house;
mod program;
mod rules;
mod servers;
mod simulate;
mod suite;
mod tidy;
mod tree;
mod violation;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks this workspace the way its own CI does.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks the house rules: arrows, floors, circles, files, names, words, links.
    Tidy,
    /// Runs everything a change must pass, and ends with `N passed, N failed`.
    Test {
        /// Leaves out the steps that need a server, and lists them.
        #[arg(long)]
        local: bool,
    },
    /// Starts and ends the real servers that tests run by hand talk to.
    Servers {
        #[command(subcommand)]
        act: servers::Act,
    },
    /// Runs seeds of the simulated house; `cargo xtask simulate --help` has the options.
    Simulate(simulate::Arguments),
    /// Plants every known bug in the simulated house, one at a time, and fails when one is not found.
    Planted(simulate::PlantedArguments),
    /// Kills, wipes and swaps servers under whole orders, and the processes too; `cargo xtask chaos --help` has the options.
    Chaos(campaign::Arguments),
    /// Runs the broker suite over real servers, as often as asked; `cargo xtask conformance --help` has the options.
    Conformance(campaign::Arguments),
    /// Measures what an order costs, in release and beside its peers; a missed target is said, and is no error.
    ///
    /// Without --json it prints a table, and with either one line for each target, met or missed by how much. See
    /// docs/benchmarks.md for what is compared with what.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let root = workspace_root();
    match Arguments::parse().task {
        Task::Tidy => code(tidy::run(&root)),
        Task::Test { local } => code(suite::run(&root, local)),
        Task::Servers { act } => code(servers::run(&root, &act)),
        Task::Simulate(arguments) => simulate::run(&root, &arguments),
        Task::Planted(arguments) => simulate::planted(&root, &arguments),
        Task::Chaos(arguments) => campaign::run(&root, campaign::CHAOS, &arguments),
        Task::Conformance(arguments) => campaign::run(&root, campaign::CONFORMANCE, &arguments),
        Task::Bench(arguments) => bench::run(&root, &arguments),
    }
}

fn code(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Names the folder of the workspace.
///
/// Cargo says at run time where this package lies. The place it was compiled in is only the fallback,
/// because a checkout may have been moved since.
fn workspace_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}
