//! The steps of the suite in their order, as data.

use oms_servers::Kind;

use super::step::{Step, Work};
use crate::simulate;

/// What the simulator runs for each change: 400,000 orders, and everything that it can meet must have been met.
const SEEDS: &str = "--seeds 20000 --marks";

/// How tests are run: all binaries, even after one has failed.
const WHOLE: &str = "--locked --no-fail-fast";

/// A step that needs a server, which `--local` leaves out.
#[derive(Clone, Copy)]
pub(crate) struct ServerStep {
    /// The heading it runs under.
    pub(crate) name: &'static str,
    /// What has to run for it, in words.
    pub(crate) needs: &'static str,
    /// The servers that are started for it, and stopped after it.
    pub(crate) kinds: &'static [Kind],
    /// The package whose tests these are.
    pub(crate) package: &'static str,
    /// The feature of it without which there are no such tests.
    pub(crate) feature: &'static str,
    /// The cargo command, without the word `cargo`.
    pub(crate) command: &'static str,
}

/// The steps that need a server. An adapter or a store with a server under it adds its suite here; the step runs from
/// the day on which its package has the feature that switches on the tests that need one.
pub(crate) const SERVER_STEPS: &[ServerStep] = &[
    ServerStep {
        name: "servers",
        needs: "to install and start servers",
        kinds: &[],
        package: "oms-servers",
        feature: "server",
        command: "test -p oms-servers --features server --locked --no-fail-fast",
    },
    ServerStep {
        name: "kafka",
        needs: "a Kafka broker",
        kinds: &[Kind::Kafka],
        package: "oms-kafka",
        feature: "server",
        command: "test -p oms-kafka --features server --locked --no-fail-fast",
    },
    ServerStep {
        name: "nats",
        needs: "a NATS server with JetStream",
        kinds: &[Kind::Nats],
        package: "oms-nats",
        feature: "server",
        command: "test -p oms-nats --features server --locked --no-fail-fast",
    },
    ServerStep {
        name: "conformance",
        needs: "to install and start servers",
        kinds: &[],
        package: "oms-conformance",
        feature: "kafka",
        command: "test -p oms-conformance --all-features --locked --no-fail-fast",
    },
    ServerStep {
        name: "chaos",
        needs: "to install and start servers",
        kinds: &[],
        package: "oms-chaos",
        feature: "kafka",
        command: "test -p oms-chaos --all-features --locked --no-fail-fast",
    },
];

/// Gives those of `steps` whose tests there are, by the `features` of the workspace as `package/feature`.
pub(crate) fn with_tests(steps: &[ServerStep], features: &[String]) -> Vec<ServerStep> {
    let has_tests = |step: &&ServerStep| features.contains(&format!("{}/{}", step.package, step.feature));
    steps.iter().filter(has_tests).copied().collect()
}

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
    for step in server_steps {
        let name = format!("{} without a server", step.name);
        steps.push(Step::cargo(&name, &format!("test -p {} --no-default-features {WHOLE}", step.package)));
    }
    steps.push(Step::cargo("simulation", &format!("{} {SEEDS}", simulate::COMMAND)));
    let planted = Step::cargo("planted bugs", &format!("{} 2000 1", simulate::PLANTED));
    steps.push(planted.with(simulate::MUTANTS.0, simulate::MUTANTS.1));
    let docs = Step::cargo("docs", "doc --workspace --no-deps --all-features --locked");
    steps.push(docs.with("RUSTDOCFLAGS", "-D warnings"));
    if !local {
        steps.extend(server_steps.iter().map(|step| Step::cargo(step.name, step.command).over(step.kinds)));
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
        kinds: &[Kind::Kafka],
        package: "oms-kafka",
        feature: "server",
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
    fn a_package_that_has_no_tests_with_a_server_has_no_step() {
        assert_eq!(with_tests(KAFKA, &["oms-kafka/ssl".to_owned()]).len(), 0);
        assert_eq!(with_tests(KAFKA, &["oms-kafka/server".to_owned()]).len(), 1);
    }

    #[test]
    fn the_step_of_a_server_has_it_started() {
        let last = steps(Vec::new(), KAFKA, false).pop().unwrap();
        assert!(matches!(last.work, Work::Cargo { kinds: [Kind::Kafka], .. }));
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
        let line = "left out: kafka (needs a Kafka broker): cargo test -p oms-kafka --features server";
        assert_eq!(left_out(KAFKA), [line]);
        assert_eq!(left_out(&[]), ["nothing here needs a server"]);
    }
}
