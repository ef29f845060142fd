//! The steps of the suite in their order, as data.

use super::step::{Step, Work};
use crate::simulate;

/// What the simulator runs for each change: 400,000 orders, and everything that it can meet must have been met.
const SEEDS: &str = "--seeds 20000 --marks";

/// How tests are run: all binaries, even after one has failed.
const WHOLE: &str = "--locked --no-fail-fast";

/// A step that needs a server, which `--local` leaves out.
pub(crate) struct ServerStep {
    /// The heading it runs under.
    pub(crate) name: &'static str,
    /// What has to be on this machine for it, in words.
    pub(crate) needs: &'static str,
    /// The package whose tests these are.
    pub(crate) package: &'static str,
}

impl ServerStep {
    /// The cargo command, without the word `cargo`.
    fn command(&self) -> String {
        format!("test -p {} --all-features {WHOLE}", self.package)
    }
}

const TOOLS: &str = "java, mvn, python3 with pip, and apt-get, which install the servers";

/// The steps whose tests install and start servers by themselves. All features of these packages switch on such tests, so
/// that they stay out of the step that tests all others.
pub(crate) const SERVER_STEPS: &[ServerStep] = &[
    ServerStep { name: "servers", needs: TOOLS, package: "oms-servers" },
    ServerStep {
        name: "postgres",
        needs: "PostgreSQL, or apt-get, which brings it",
        package: "oms-postgres",
    },
    ServerStep { name: "oms", needs: TOOLS, package: "oms-server" },
    ServerStep { name: "conformance", needs: TOOLS, package: "oms-conformance" },
    ServerStep { name: "chaos", needs: TOOLS, package: "oms-chaos" },
];

/// Lists all steps: the quick ones that fail most often come first.
pub(crate) fn steps(builds: Vec<Step>, server_steps: &[ServerStep], local: bool) -> Vec<Step> {
    let mut steps = vec![
        Step::cargo("format", "fmt --all --check"),
        Step { name: "tidy".to_owned(), work: Work::Tidy },
        Step::cargo("clippy", "clippy --workspace --all-targets --all-features --locked -- -D warnings"),
    ];
    steps.extend(builds);
    // All binaries run even after one has failed, so that the counts at the end are those of the whole.
    steps.push(Step::cargo(
        "tests",
        &format!("test --workspace{} --all-features {WHOLE}", without(server_steps)),
    ));
    steps.push(Step::cargo("simulation", &format!("{} {SEEDS}", simulate::COMMAND)));
    let planted = Step::cargo("planted bugs", &format!("{} 2000 1", simulate::PLANTED));
    steps.push(planted.with(simulate::MUTANTS.0, simulate::MUTANTS.1));
    let docs = Step::cargo("docs", "doc --workspace --no-deps --all-features --locked");
    steps.push(docs.with("RUSTDOCFLAGS", "-D warnings"));
    for step in server_steps {
        steps.push(if local {
            let name = format!("{} without a server", step.name);
            Step::cargo(&name, &format!("test -p {} --no-default-features {WHOLE}", step.package))
        } else {
            Step::cargo(step.name, &step.command())
        });
    }
    steps
}

/// All features would switch on the tests that need a server, where there is none.
fn without(server_steps: &[ServerStep]) -> String {
    server_steps.iter().map(|step| format!(" --exclude {}", step.package)).collect()
}

/// Says what `--local` leaves out, one line each.
pub(crate) fn left_out(server_steps: &[ServerStep]) -> Vec<String> {
    if server_steps.is_empty() {
        return vec!["nothing here needs a server".to_owned()];
    }
    let line = |step: &ServerStep| {
        format!("left out: {} (needs {}): cargo {}", step.name, step.needs, step.command())
    };
    server_steps.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KAFKA: &[ServerStep] =
        &[ServerStep { name: "kafka", needs: "a Kafka broker", package: "oms-kafka" }];

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
        assert_eq!(names(KAFKA, true).last().map(String::as_str), Some("kafka without a server"));
    }

    #[test]
    fn a_package_whose_tests_need_a_server_is_tested_without_one_by_itself() {
        let commands: Vec<String> = steps(Vec::new(), KAFKA, true).iter().map(Step::command).collect();
        assert!(
            commands.contains(
                &"cargo test -p oms-kafka --no-default-features --locked --no-fail-fast".to_owned()
            )
        );
        let whole = "cargo test --workspace --exclude oms-kafka --all-features --locked --no-fail-fast";
        assert!(commands.contains(&whole.to_owned()), "{commands:?}");
    }

    #[test]
    fn what_is_left_out_is_listed_with_what_it_needs() {
        let line = "left out: kafka (needs a Kafka broker): cargo test -p oms-kafka --all-features --locked --no-fail-fast";
        assert_eq!(left_out(KAFKA), [line]);
        assert_eq!(left_out(&[]), ["nothing here needs a server"]);
    }
}
