//! The `simulate` task: builds the simulator as one optimised program, and passes everything on to it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::program::{cargo, end};

/// What `simulate` takes: everything goes to the simulator, which explains itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Such as `--seeds 1000000`, `--plant ack-before-commit` or `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    passed: Vec<String>,
}

/// The cargo command that builds the simulator and runs it.
pub(crate) const COMMAND: &str =
    "run --profile simulation --locked --quiet --package oms-simulation --bin oms-simulate --";

/// The cargo command that plants every bug in turn, those in the store's own guards as well, and prints the table.
pub(crate) const PLANTED: &str = "run --release --locked --quiet --package oms-simulation --target-dir target/mutants --example planted --";

/// The flags of that build: a `cfg` and no feature, which would leak into other builds.
pub(crate) const MUTANTS: (&str, &str) = ("RUSTFLAGS", "--cfg oms_mutants");

/// What `planted` takes.
#[derive(Debug, Args)]
pub(crate) struct PlantedArguments {
    /// In how many seeds each bug is looked for
    #[arg(default_value_t = 2_000)]
    seeds: u64,
    /// How often each is to be found before the next is planted
    #[arg(default_value_t = 20)]
    enough: u64,
}

/// Runs the simulator at `root`, and ends as it does.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> ExitCode {
    let mut command = cargo(root, COMMAND);
    command.args(&arguments.passed);
    end(command)
}

/// Plants every bug in turn, and fails when one is not found.
pub(crate) fn planted(root: &Path, arguments: &PlantedArguments) -> ExitCode {
    let mut command = cargo(root, PLANTED);
    let numbers = [arguments.seeds, arguments.enough].map(|number| number.to_string());
    command.args(numbers).env(MUTANTS.0, MUTANTS.1);
    end(command)
}
