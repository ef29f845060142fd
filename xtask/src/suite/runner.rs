//! The running of the steps, with a heading, the time and the counts of each.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::builds;
use super::counts::Counts;
use super::plan::{self, SERVER_STEPS};
use super::step::{Step, Work};
use crate::tidy;

/// A step that was run: how long it took, and whether it passed.
struct Done {
    name: String,
    took: Duration,
    passed: bool,
}

/// Runs all steps at `root` until one fails, prints a summary, and says whether all passed.
///
/// The last line is always `N passed, N failed`.
pub(crate) fn run(root: &Path, local: bool) -> bool {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let steps = match builds::read(root, &cargo) {
        Ok(builds) => plan::steps(builds, SERVER_STEPS, local),
        Err(error) => {
            println!("{error}\n{}", Counts::default());
            return false;
        }
    };
    let mut counts = Counts::default();
    let mut done = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n== {} of {}: {} ({})", index + 1, steps.len(), step.name, step.command());
        let start = Instant::now();
        let passed = perform(step, root, &cargo, &mut counts);
        let took = start.elapsed();
        println!(
            "== {} {} after {:.1} s",
            step.name,
            if passed { "passed" } else { "FAILED" },
            took.as_secs_f64()
        );
        done.push(Done { name: step.name.clone(), took, passed });
        if !passed {
            break;
        }
    }
    summary(&steps, &done, local, counts)
}

/// Prints one line per step, what failed and how to repeat it, what was left out, and the counts.
fn summary(steps: &[Step], done: &[Done], local: bool, counts: Counts) -> bool {
    println!("\n== summary");
    for (index, step) in steps.iter().enumerate() {
        match done.get(index) {
            Some(Done { name, took, passed }) => {
                let verdict = if *passed { "ok" } else { "FAILED" };
                println!("{verdict:>7} {:>8.1} s  {name}", took.as_secs_f64());
            }
            None => println!("{:>7} {:>8}    {}", "not run", "", step.name),
        }
    }
    let failed = done.iter().position(|done| !done.passed).and_then(|index| steps.get(index));
    if let Some(step) = failed {
        println!("failed: {}; repeat it with: {}", step.name, step.command());
    }
    if local {
        for line in plan::left_out(SERVER_STEPS) {
            println!("{line}");
        }
    }
    println!("{counts}");
    failed.is_none()
}

fn perform(step: &Step, root: &Path, cargo: &str, counts: &mut Counts) -> bool {
    match &step.work {
        Work::Tidy => tidy::run(root),
        Work::Cargo { arguments, variables } => {
            let mut command = Command::new(cargo);
            command.args(arguments).envs(variables.iter().copied()).current_dir(root);
            forget_this_package(&mut command);
            match stream(command, counts, &mut io::stdout()) {
                Ok(passed) => passed,
                Err(error) => {
                    println!("`{}` could not be run, try it by hand: {error}", step.command());
                    false
                }
            }
        }
    }
}

/// Takes away the variables that cargo set for xtask itself.
///
/// Build scripts may watch them, and would run again in a shell where they are not set.
fn forget_this_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if ours {
            command.env_remove(name);
        }
    }
}

/// Runs `command`, passes its output on to `shown` line by line, and adds up the tests it reports.
fn stream(mut command: Command, counts: &mut Counts, shown: &mut dyn Write) -> io::Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    if let Some(output) = child.stdout.take() {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        // Whole lines as bytes: a test may print what is not UTF-8.
        while reader.read_until(b'\n', &mut line)? > 0 {
            shown.write_all(&line)?;
            *counts += Counts::of_line(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_tests_a_command_reports_are_counted_and_shown() {
        let (mut counts, mut shown) = (Counts::default(), Vec::new());
        let line = "test result: ok. 2 passed; 0 failed; 0 ignored";
        assert!(stream(shell(&format!("echo '{line}'; echo '{line}'")), &mut counts, &mut shown).unwrap());
        assert_eq!(counts, Counts { passed: 4, failed: 0 });
        assert_eq!(String::from_utf8(shown).unwrap(), format!("{line}\n{line}\n"));
    }

    #[test]
    fn a_command_that_fails_fails_the_step() {
        assert!(!stream(shell("exit 3"), &mut Counts::default(), &mut Vec::new()).unwrap());
    }
}
