//! The `bench` task: builds the measuring programs in release, runs one workload, and passes on what it says.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};

/// The brokers on servers, by the features that build them in.
const BROKERS: &str = "kafka,nats,rabbitmq";

/// Runs the peers: a workspace of its own, which users and tests never build.
const PEERS: &str =
    "run --release --locked --quiet --manifest-path benches/peers/Cargo.toml --target-dir target/peers --";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// The saga: full load, one order in flight, half of the maximum, long orders, a hot SKU, lanes, PostgreSQL
    Saga,
    /// Duplicates: 0, 10 and 50 percent of all packs delivered twice
    Dedupe,
    /// Process memory of a million orders that wait, and of a million that have ended
    Memory,
    /// Read models folded anew from the log of completed orders
    Rebuild,
    /// Messages from the store to a broker that has them at once
    Relay,
    /// Brokers on servers of their own: packs beside the bare client, whole orders beside the naive driver
    Brokers,
    /// Appends over PostgreSQL, beside cqrs-es, distributed and bare sqlx, which a workspace of their own builds
    Store,
    /// Cold start: from the start of a process to its first accepted order
    Start,
}

impl Workload {
    fn name(self) -> &'static str {
        match self {
            Self::Saga => "saga",
            Self::Dedupe => "dedupe",
            Self::Memory => "memory",
            Self::Rebuild => "rebuild",
            Self::Relay => "relay",
            Self::Brokers => "brokers",
            Self::Store => "store",
            Self::Start => "start",
        }
    }
}

/// What `bench` takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What is measured
    #[arg(value_enum)]
    workload: Workload,
    /// Write the rows into this file, as one JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run little and short: shows that it works, and no figure that counts
    #[arg(long)]
    quick: bool,
    /// Of the saga only these parts: load, single, long, hot, lanes, postgres; and endurance and million, which run only when they are named
    #[arg(long, value_name = "PARTS")]
    only: Option<String>,
}

impl Arguments {
    /// The cargo commands that they mean, the measuring one last.
    fn commands(&self) -> Vec<Vec<String>> {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut run = match self.workload {
            Workload::Store => words(PEERS),
            _ => words("run --release --locked --quiet --package oms-benches --bin oms-benches --"),
        };
        run.extend((self.workload != Workload::Store).then(|| self.workload.name().to_owned()));
        if let Some(file) = &self.json {
            run.extend(["--json".to_owned(), file.to_string_lossy().into_owned()]);
        }
        if let Some(parts) = &self.only {
            run.extend(["--only".to_owned(), parts.clone()]);
        }
        run.extend(self.quick.then(|| "--quick".to_owned()));
        // What is measured, or counts, as a process of its own lies beside the program that measures it.
        let beside = match self.workload {
            Workload::Start => Some(words("build --release --locked --package oms-server --bin oms")),
            Workload::Brokers => {
                let features = ["--features".to_owned(), BROKERS.to_owned()];
                run.splice(1..1, features.clone());
                let build = words("build --release --locked --package oms-benches --bin oms-counted");
                Some(build.into_iter().chain(features).collect())
            }
            Workload::Saga
            | Workload::Dedupe
            | Workload::Memory
            | Workload::Rebuild
            | Workload::Relay
            | Workload::Store => None,
        };
        beside.into_iter().chain([run]).collect()
    }
}

/// Builds, then measures. The bench's own exit code is passed on: 0 even when a target is missed, for a measurement is no test.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> ExitCode {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    for words in arguments.commands() {
        let mut command = Command::new(&cargo);
        command.args(&words);
        command.envs(commit(root).map(|commit| ("OMS_COMMIT", commit)));
        let ended = match command.status() {
            Ok(status) if status.success() => continue,
            Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            Err(error) => {
                eprintln!("`cargo {}` could not be run, try it by hand: {error}", words.join(" "));
                1
            }
        };
        return ExitCode::from(ended);
    }
    ExitCode::SUCCESS
}

/// The commit that is measured, with a mark when the tree differs from it.
fn commit(root: &Path) -> Option<String> {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .current_dir(root)
        .output();
    let described = described.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&described.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn commands(line: &str) -> Result<Vec<String>, clap::Error> {
        let line = Line::try_parse_from(line.split(' '))?;
        Ok(line.arguments.commands().iter().map(|words| words.join(" ")).collect())
    }

    #[test]
    fn a_workload_is_run_in_release_with_what_was_asked_for() {
        let run = "run --release --locked --quiet --package oms-benches --bin oms-benches --";
        assert_eq!(commands("bench saga").unwrap(), [format!("{run} saga")]);
        let asked = "bench saga --json rows.json --only lanes,hot --quick";
        assert_eq!(
            commands(asked).unwrap(),
            [format!("{run} saga --json rows.json --only lanes,hot --quick")]
        );
    }

    #[test]
    fn the_command_whose_start_is_measured_is_built_first() {
        let commands = commands("bench start").unwrap();
        assert_eq!(commands.len(), 2);
        assert!(commands[0].starts_with("build --release") && commands[0].ends_with("--bin oms"));
    }

    #[test]
    fn brokers_are_built_in_and_the_counting_program_with_them() {
        let commands = commands("bench brokers --quick").unwrap();
        assert!(commands[0].ends_with("--bin oms-counted --features kafka,nats,rabbitmq"), "{commands:?}");
        let run = "run --features kafka,nats,rabbitmq --release --locked --quiet --package oms-benches --bin oms-benches --";
        assert_eq!(commands[1], format!("{run} brokers --quick"));
    }

    #[test]
    fn peers_that_users_never_build_are_run_from_a_workspace_of_their_own() {
        let commands = commands("bench store --quick").unwrap();
        assert!(commands[0].contains("--manifest-path benches/peers/Cargo.toml"), "{commands:?}");
        assert!(commands[0].ends_with(" -- --quick"), "{commands:?}");
    }

    #[test]
    fn an_unknown_workload_is_wrong_usage() {
        assert_eq!(commands("bench speed").map_err(|error| error.exit_code()), Err(2));
    }
}
