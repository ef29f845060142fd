//! Programs of this workspace that a task builds and runs.

use std::path::Path;
use std::process::{Command, ExitCode};

/// The cargo command of these words at `root`.
pub(crate) fn cargo(root: &Path, line: &str) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(line.split(' ')).current_dir(root);
    command
}

/// Runs a program, and ends as it does.
pub(crate) fn end(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("cargo could not be started: {error}; install Rust, or run this through `cargo xtask`");
            ExitCode::FAILURE
        }
    }
}
