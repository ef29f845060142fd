//! The `simulate` task: builds the simulator as one optimised program, and passes everything on to it.

use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Args;

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

/// Runs the simulator at `root`, and ends as it does.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> ExitCode {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(COMMAND.split(' ')).args(&arguments.passed).current_dir(root);
    match command.status() {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!(
                "cargo could not be started: {error}; install Rust, or run this through `cargo xtask simulate`"
            );
            ExitCode::FAILURE
        }
    }
}
