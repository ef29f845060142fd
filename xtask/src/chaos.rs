//! The `chaos` task: builds the campaign in release, and passes everything on to it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::program;

/// What `chaos` takes: everything goes to the campaign, which explains itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Such as `broker --broker nats --kills 200`, or `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    passed: Vec<String>,
}

/// The cargo command that builds the campaign with the brokers that it needs, and runs it.
fn command(passed: &[String]) -> String {
    // The brokers' clients take minutes to build: only those that are named.
    let known = ["kafka", "nats", "rabbitmq"];
    let named: Vec<&str> =
        known.into_iter().filter(|name| passed.iter().any(|word| word.ends_with(name))).collect();
    let features = if named.is_empty() { String::new() } else { format!(" --features {}", named.join(",")) };
    format!(
        "run --release --locked --quiet --package oms-chaos --no-default-features{features} --bin oms-chaos --"
    )
}

/// Runs the campaign at `root`, and ends as it does.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> ExitCode {
    let mut cargo = program::cargo(root, &command(&arguments.passed));
    cargo.args(&arguments.passed);
    program::end(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_brokers_that_are_named_are_built_in() {
        let line = |words: &str| command(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(line("broker --broker memory").contains("--no-default-features --bin"));
        let named = line("broker --broker=nats --swaps 1 --swap-to kafka");
        assert!(named.contains("--no-default-features --features kafka,nats --bin"), "{named}");
    }
}
