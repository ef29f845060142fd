//! The builds of every published package: without features, with each alone, with all.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::step::Step;

/// Says why the features are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    /// Cargo did not start.
    #[error("cargo could not be started: install Rust, or run this through `cargo xtask test`")]
    Start(#[source] std::io::Error),
    /// Cargo could not read the workspace.
    #[error("cargo could not read the workspace: mend the manifests it names\n{said}")]
    Workspace { said: String },
    /// What cargo printed is not its metadata.
    #[error("the answer of cargo metadata is not JSON: run it by hand to see why")]
    Answer(#[from] serde_json::Error),
}

/// Asks cargo for the packages of the workspace at `root`, and lists the builds they need.
///
/// # Errors
/// [`MetadataError`], when cargo cannot tell.
pub(crate) fn read(root: &Path, cargo: &str) -> Result<Vec<Step>, MetadataError> {
    let answer = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(MetadataError::Start)?;
    if !answer.status.success() {
        return Err(MetadataError::Workspace {
            said: String::from_utf8_lossy(&answer.stderr).trim().to_owned(),
        });
    }
    Ok(steps(&serde_json::from_slice(&answer.stdout)?))
}

fn steps(metadata: &Value) -> Vec<Step> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(|package| is_published(package)).flat_map(of_package).collect()
}

/// A package that is never published has `"publish": []`; one that is has `null`, or its registries.
fn is_published(package: &Value) -> bool {
    package["publish"].as_array().is_none_or(|registries| !registries.is_empty())
}

fn of_package(package: &Value) -> Vec<Step> {
    let name = package["name"].as_str().unwrap_or_default();
    let all: Vec<(&str, Vec<&str>)> = package["features"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(feature, of)| (feature.as_str(), texts(of)))
        .collect();
    if all.iter().all(|(feature, of)| *feature == "default" && of.is_empty()) {
        return Vec::new();
    }
    // An empty default is the build without features once more; a feature that is passed on changes no line of ours, and
    // would have a client in C built once more.
    let own = |(feature, of): &&(&str, Vec<&str>)| {
        if *feature == "default" { !of.is_empty() } else { !is_passed_on(feature, &all) }
    };
    let features: Vec<&str> = all.iter().filter(own).map(|(feature, _)| *feature).collect();
    let build = |title: String, flags: String| {
        Step::cargo(&format!("build {name} {title}"), &format!("check --locked -p {name} {flags}"))
    };
    let mut steps = vec![build("without features".to_owned(), "--no-default-features".to_owned())];
    for feature in features {
        let flags = format!("--no-default-features --features {feature}");
        steps.push(build(format!("with {feature} alone"), flags));
    }
    steps.push(build("with all features".to_owned(), "--all-features".to_owned()));
    steps
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Says whether a feature only switches on features of dependencies, itself or by features that do.
fn is_passed_on(feature: &str, all: &[(&str, Vec<&str>)]) -> bool {
    let of = all.iter().find(|(name, _)| *name == feature).map(|(_, of)| of.as_slice()).unwrap_or_default();
    !of.is_empty() && of.iter().all(|other| other.contains('/') || is_passed_on(other, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(metadata: &str) -> Vec<String> {
        steps(&serde_json::from_str(metadata).unwrap()).iter().map(Step::command).collect()
    }

    #[test]
    fn a_package_is_built_without_features_with_each_alone_and_with_all() {
        let metadata = r#"{"packages": [{"name": "oms-broker", "publish": null,
            "features": {"default": [], "kafka": ["dep:oms-kafka"], "nats": []}}]}"#;
        let expected = [
            "cargo check --locked -p oms-broker --no-default-features",
            "cargo check --locked -p oms-broker --no-default-features --features kafka",
            "cargo check --locked -p oms-broker --no-default-features --features nats",
            "cargo check --locked -p oms-broker --all-features",
        ];
        assert_eq!(commands(metadata), expected);
    }

    #[test]
    fn a_feature_that_is_only_passed_on_is_built_with_all_of_them() {
        let metadata = r#"{"packages": [{"name": "oms-kafka",
            "features": {"default": [], "ssl": ["rdkafka/ssl"], "sasl": ["ssl"], "server": []}}]}"#;
        let expected = [
            "cargo check --locked -p oms-kafka --no-default-features",
            "cargo check --locked -p oms-kafka --no-default-features --features server",
            "cargo check --locked -p oms-kafka --all-features",
        ];
        assert_eq!(commands(metadata), expected);
    }

    #[test]
    fn a_default_that_switches_something_on_is_built_too() {
        let metadata = r#"{"packages": [{"name": "a", "features": {"default": ["b"], "b": []}}]}"#;
        let built = commands(metadata);
        assert!(
            built.contains(&"cargo check --locked -p a --no-default-features --features default".to_owned())
        );
    }

    #[test]
    fn packages_without_features_and_unpublished_ones_need_no_build_of_their_own() {
        let metadata = r#"{"packages": [{"name": "a", "features": {}}, {"name": "b", "publish": [], "features": {"c": []}}]}"#;
        assert_eq!(commands(metadata), [""; 0]);
    }
}
