//! The steps of the suite in their order, as data.

use super::step::{Step, Work};
use crate::simulate;

/// What the simulator runs for each change: 400,000 orders, and everything that it can meet must have been met.
const SEEDS: &str = "--seeds 20000 --marks";

/// A step that needs a server, which `--local` leaves out.
pub(crate) struct ServerStep {
    /// The heading it runs under.
    pub(crate) name: &'static str,
    /// What has to run for it, in words.
    pub(crate) needs: &'static str,
    /// The cargo command, without the word `cargo`.
    pub(crate) command: &'static str,
}

/// The steps that need a server. An adapter or a store with a server under it adds its suite here.
pub(crate) const SERVER_STEPS: &[ServerStep] = &[];

/// Lists all steps: the quick ones that fail most often come first.
pub(crate) fn steps(builds: Vec<Step>, server_steps: &[ServerStep], local: bool) -> Vec<Step> {
    let mut steps = vec![
        Step::cargo("format", "fmt --all --check"),
        Step { name: "tidy".to_owned(), work: Work::Tidy },
        Step::cargo("clippy", "clippy --workspace --all-targets --all-features --locked -- -D warnings"),
    ];
    steps.extend(builds);
    // All binaries run even after one has failed, so that the counts at the end are those of the whole.
    steps.push(Step::cargo("tests", "test --workspace --all-features --locked --no-fail-fast"));
    steps.push(Step::cargo("simulation", &format!("{} {SEEDS}", simulate::COMMAND)));
    let planted = Step::cargo("planted bugs", &format!("{} 2000 1", simulate::PLANTED));
    steps.push(planted.with(simulate::MUTANTS.0, simulate::MUTANTS.1));
    let docs = Step::cargo("docs", "doc --workspace --no-deps --all-features --locked");
    steps.push(docs.with("RUSTDOCFLAGS", "-D warnings"));
    if !local {
        steps.extend(server_steps.iter().map(|step| Step::cargo(step.name, step.command)));
    }
    steps
}

/// Says what `--local` leaves out, one line each.
pub(crate) fn left_out(server_steps: &[ServerStep]) -> Vec<String> {
    if server_steps.is_empty() {
        return vec!["nothing here needs a server".to_owned()];
    }
    let line =
        |step: &ServerStep| format!("left out: {} (needs {}): cargo {}", step.name, step.needs, step.command);
    server_steps.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KAFKA: &[ServerStep] = &[ServerStep {
        name: "kafka",
        needs: "a Kafka broker",
        command: "test -p oms-kafka --features server",
    }];

    fn names(server_steps: &[ServerStep], local: bool) -> Vec<String> {
        let builds = vec![Step::cargo("a build", "check -p a")];
        steps(builds, server_steps, local).into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_steps_come_in_their_order() {
        assert_eq!(
            names(&[], false),
            ["format", "tidy", "clippy", "a build", "tests", "simulation", "planted bugs", "docs"]
        );
    }

    #[test]
    fn what_needs_a_server_comes_last_and_local_leaves_it_out() {
        assert_eq!(names(KAFKA, false).last().map(String::as_str), Some("kafka"));
        assert_eq!(names(KAFKA, true).last().map(String::as_str), Some("docs"));
    }

    #[test]
    fn what_is_left_out_is_listed_with_what_it_needs() {
        let line = "left out: kafka (needs a Kafka broker): cargo test -p oms-kafka --features server";
        assert_eq!(left_out(KAFKA), [line]);
        assert_eq!(left_out(&[]), ["nothing here needs a server"]);
    }
}
