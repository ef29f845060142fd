//! Which package may depend on which, dev and build dependencies included.

use super::crates;
use crate::house::{Dependency, House, Package, workspace_table};
use crate::violation::Violation;

const RULE: &str = "arrows";

/// The place of a package in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Core,
    Door,
    Adapter,
    Store,
    /// Server, simulation, conformance, chaos, examples and benches: nothing depends on them.
    Outer,
    /// Real servers for tests: knows nothing of ours.
    Servers,
    /// The house rules, which must build fast and depend on nothing they judge.
    Xtask,
}

/// Checks every dependency of every package.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let shared = workspace_table(house.tree.text("Cargo.toml"), &["workspace", "dependencies"]);
    let mut found = Vec::new();
    for package in &house.packages {
        let Some(place) = place(&package.folder) else {
            let advice = "give this package a place in the house by ADR, then in xtask/src/rules/arrows.rs";
            found.push(Violation::new(&package.path, 1, RULE, advice));
            continue;
        };
        for dependency in package.dependencies(&shared) {
            if let Some(advice) = forbidden(house, package, place, &dependency) {
                let advice = format!("{advice} (in {})", dependency.section);
                found.push(Violation::new(&package.path, dependency.line, RULE, advice));
            }
        }
    }
    found
}

fn place(folder: &str) -> Option<Place> {
    match folder.split('/').collect::<Vec<_>>()[..] {
        ["oms-core"] => Some(Place::Core),
        ["oms-broker"] => Some(Place::Door),
        ["adapters", _] => Some(Place::Adapter),
        ["stores", _] => Some(Place::Store),
        ["server" | "simulation" | "conformance" | "chaos" | "examples" | "benches"]
        | ["benches", "peers"] => Some(Place::Outer),
        ["servers"] => Some(Place::Servers),
        ["xtask"] => Some(Place::Xtask),
        _ => None,
    }
}

/// Lists the places that a package at `place` may depend on.
fn allowed(place: Place) -> &'static [Place] {
    match place {
        Place::Core | Place::Servers => &[],
        Place::Xtask => &[Place::Servers],
        Place::Adapter | Place::Store => &[Place::Core, Place::Servers],
        Place::Door => &[Place::Core, Place::Adapter, Place::Store],
        Place::Outer => &[Place::Core, Place::Door, Place::Adapter, Place::Store, Place::Servers],
    }
}

fn forbidden(house: &House, package: &Package, from: Place, dependency: &Dependency) -> Option<String> {
    let name = &dependency.package;
    let ours = house.packages.iter().find(|package| &package.name == name);
    let Some(ours) = ours else { return foreign(from, name) };
    // A package may name itself, to switch a feature on for its own tests.
    if ours.name == package.name {
        return None;
    }
    let to = place(&ours.folder)?;
    if allowed(from).contains(&to) {
        return None;
    }
    Some(format!("remove `{name}`: {} {} never {}", article(from), word(from), verb(to)))
}

fn foreign(from: Place, name: &str) -> Option<String> {
    if from != Place::Core {
        return None;
    }
    if let Some(why) = crates::why_never_in_core(name) {
        return Some(format!("remove `{name}` from core: it is {why}"));
    }
    let advice = "give the reason in an ADR, then add it to CORE_MAY_USE in xtask/src/rules/crates.rs";
    (!crates::CORE_MAY_USE.contains(&name)).then(|| format!("core may not use `{name}` yet: {advice}"))
}

fn article(place: Place) -> &'static str {
    match place {
        Place::Adapter | Place::Outer => "an",
        Place::Core | Place::Door | Place::Store | Place::Servers | Place::Xtask => "a",
    }
}

fn word(place: Place) -> &'static str {
    match place {
        Place::Core => "core",
        Place::Door => "door",
        Place::Adapter => "adapter",
        Place::Store => "store",
        Place::Outer => "outer package",
        Place::Servers => "test server",
        Place::Xtask => "house rule",
    }
}

fn verb(to: Place) -> &'static str {
    match to {
        Place::Core => "uses core",
        Place::Door => "knows oms-broker, which knows it",
        Place::Adapter => "knows an adapter",
        Place::Store => "knows a store",
        Place::Outer => {
            "knows the server, the simulation, the conformance runs, the chaos, the examples or the benches"
        }
        Place::Servers => "knows the servers of the tests",
        Place::Xtask => "knows xtask",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: (&str, &str) = ("oms-core/Cargo.toml", "[package]\nname = \"oms-core\"");
    const DOOR: (&str, &str) = ("oms-broker/Cargo.toml", "[package]\nname = \"oms-broker\"");
    const KAFKA: (&str, &str) = ("adapters/kafka/Cargo.toml", "[package]\nname = \"oms-kafka\"");
    const SQLITE: (&str, &str) = ("stores/sqlite/Cargo.toml", "[package]\nname = \"oms-sqlite\"");
    const SERVER: (&str, &str) = ("server/Cargo.toml", "[package]\nname = \"oms-server\"");
    const XTASK: (&str, &str) = ("xtask/Cargo.toml", "[package]\nname = \"xtask\"");

    /// Adds `dependencies` to the package in `folder` of an otherwise clean house.
    fn with(folder: &str, name: &str, dependencies: &str) -> Vec<String> {
        let path = format!("{folder}/Cargo.toml");
        let text = format!("[package]\nname = \"{name}\"\n{dependencies}");
        let root =
            ("Cargo.toml", "[workspace.dependencies]\nwire = { package = \"lapin\", version = \"3\" }");
        let mut files = vec![root, CORE, DOOR, KAFKA, SQLITE, SERVER, XTASK];
        files.retain(|(other, _)| *other != path);
        files.push((&path, &text));
        let files: [(&str, &str); 8] = match files.try_into() {
            Ok(files) => files,
            Err(files) => {
                let [a, b, c, d, e, f, g] = files.try_into().unwrap();
                [a, b, c, d, e, f, g, ("README.md", "")]
            }
        };
        check(&House::of(files)).iter().map(ToString::to_string).collect()
    }

    fn breaks(folder: &str, name: &str, dependencies: &str) {
        assert_eq!(with(folder, name, dependencies).len(), 1, "{folder} with {dependencies}");
    }

    fn keeps(folder: &str, name: &str, dependencies: &str) {
        assert_eq!(with(folder, name, dependencies), [""; 0], "{folder} with {dependencies}");
    }

    #[test]
    fn core_uses_nothing_of_ours() {
        breaks("oms-core", "oms-core", "[dev-dependencies]\noms-sqlite = \"1\"");
        breaks("oms-core", "oms-core", "[dependencies]\noms-broker = { version = \"1\", optional = true }");
    }

    #[test]
    fn core_uses_no_client_runtime_or_web_crate_whatever_it_is_called() {
        breaks("oms-core", "oms-core", "[dev-dependencies]\ntokio = \"1\"");
        breaks("oms-core", "oms-core", "[dependencies]\nwire.workspace = true");
        breaks("oms-core", "oms-core", "[target.'cfg(unix)'.dependencies]\nquiet = { package = \"axum\" }");
    }

    #[test]
    fn a_crate_that_is_banned_from_core_is_refused_with_the_reason() {
        let found = with("oms-core", "oms-core", "[dev-dependencies]\ntokio = \"1\"");
        assert!(found[0].contains("remove `tokio` from core: it is a runtime"), "{found:?}");
    }

    #[test]
    fn core_uses_only_what_is_on_its_list() {
        keeps("oms-core", "oms-core", "[dependencies]\nserde = \"1\"\ntime = \"0.3\"");
        breaks("oms-core", "oms-core", "[dependencies]\nanyhow = \"1\"");
    }

    #[test]
    fn an_adapter_knows_core_alone() {
        keeps("adapters/nats", "oms-nats", "[dependencies]\noms-core = \"1\"\nasync-nats = \"0.40\"");
        breaks("adapters/nats", "oms-nats", "[dependencies]\noms-kafka = \"1\"");
        breaks("adapters/nats", "oms-nats", "[dev-dependencies]\noms-broker = \"1\"");
        breaks("adapters/nats", "oms-nats", "[dev-dependencies]\noms-sqlite = \"1\"");
    }

    #[test]
    fn a_store_knows_core_alone() {
        keeps("stores/postgres", "oms-postgres", "[dependencies]\noms-core = \"1\"\nsqlx = \"0.8\"");
        breaks("stores/postgres", "oms-postgres", "[dependencies]\noms-sqlite = \"1\"");
        breaks("stores/postgres", "oms-postgres", "[build-dependencies]\noms-broker = \"1\"");
        breaks("stores/postgres", "oms-postgres", "[dev-dependencies]\noms-kafka = \"1\"");
    }

    #[test]
    fn the_door_knows_adapters_and_stores() {
        keeps(
            "oms-broker",
            "oms-broker",
            "[dependencies]\noms-core = \"1\"\noms-kafka = \"1\"\noms-sqlite = \"1\"",
        );
    }

    #[test]
    fn nothing_knows_the_outer_packages_or_xtask() {
        breaks("oms-broker", "oms-broker", "[dev-dependencies]\noms-server = \"1\"");
        breaks("examples", "oms-examples", "[dependencies]\noms-server = \"1\"");
        breaks("server", "oms-server", "[build-dependencies]\nxtask = \"1\"");
        keeps("examples", "oms-examples", "[dependencies]\noms-broker = \"1\"\noms-sqlite = \"1\"");
    }

    #[test]
    fn a_package_outside_the_house_is_asked_for_its_place() {
        breaks("extras", "oms-extras", "");
    }

    #[test]
    fn a_package_may_name_itself_for_its_own_tests() {
        keeps("oms-core", "oms-core", "[dev-dependencies]\noms-core = { path = \".\" }");
    }
}
