//! The `chaos` and `conformance` tasks: each builds its campaign with the brokers that it needs, and passes everything on to it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::program;

/// The package of whole orders under blows.
pub(crate) const CHAOS: &str = "oms-chaos";
/// The package of the broker suite.
pub(crate) const CONFORMANCE: &str = "oms-conformance";

/// The brokers whose clients take minutes to build.
const BROKERS: [&str; 3] = ["kafka", "nats", "rabbitmq"];

/// What a campaign takes: everything goes to it, and it explains itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Such as `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    passed: Vec<String>,
}

/// The cargo command that builds a campaign with the brokers that it needs, and runs it.
fn command(package: &str, passed: &[String]) -> String {
    // A number behind a name is a version of the same broker.
    let is = |part: &str, name: &str| part.trim_end_matches(|one: char| one.is_ascii_digit()) == name;
    let named = |name: &&str| passed.iter().any(|word| word.split([',', '=']).any(|part| is(part, name)));
    // The suite runs over all of them unless some are named.
    let all = package == CONFORMANCE && !passed.iter().any(|word| word.starts_with("--broker"));
    // Processes apart need a broker with a server, and this is the one unless another is named.
    let apart = package == CHAOS && passed.first().is_some_and(|word| word == "store");
    let mut needed: Vec<&str> = BROKERS.into_iter().filter(|name| all || named(name)).collect();
    if apart && needed.is_empty() {
        needed.push("nats");
    }
    let features =
        if needed.is_empty() { String::new() } else { format!(" --features {}", needed.join(",")) };
    format!(
        "run --release --locked --quiet --package {package} --no-default-features{features} --bin {package} --"
    )
}

/// Runs a campaign at `root`, and ends as it does.
pub(crate) fn run(root: &Path, package: &str, arguments: &Arguments) -> ExitCode {
    let mut cargo = program::cargo(root, &command(package, &arguments.passed));
    cargo.args(&arguments.passed);
    program::end(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(package: &str, words: &str) -> String {
        command(package, &words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_brokers_that_are_named_are_built_in() {
        assert!(line(CHAOS, "broker --broker memory").contains("--no-default-features --bin"));
        let named = line(CHAOS, "broker --broker=nats --swaps 1 --swap-to kafka");
        assert!(named.contains("--no-default-features --features kafka,nats --bin"), "{named}");
        let listed = line(CONFORMANCE, "--broker memory,rabbitmq --rounds 3");
        assert!(listed.contains("--features rabbitmq --bin oms-conformance"), "{listed}");
        assert!(line(CHAOS, "store --kills 3").contains("--features nats --bin oms-chaos"));
        assert!(line(CHAOS, "store --broker kafka").contains("--features kafka --bin"));
        assert!(line(CONFORMANCE, "--broker rabbitmq4").contains("--features rabbitmq --bin"));
    }

    #[test]
    fn the_suite_runs_over_all_brokers_unless_some_are_named() {
        assert!(line(CONFORMANCE, "--rounds 20").contains("--features kafka,nats,rabbitmq"));
        assert!(line(CHAOS, "--help").contains("--no-default-features --bin"));
    }
}
