//! Every package is fit for publishing, under the licence of the house and without unsafe code.

use toml::Value;

use crate::house::{House, Package, workspace_table};
use crate::violation::Violation;

const RULE: &str = "packages";

/// Checks the root manifest and that of every package.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    if let Some(root) = house.tree.text("Cargo.toml") {
        let lints = workspace_table(Some(root), &["workspace", "lints", "rust"]);
        if level(lints.get("unsafe_code")) != Some("forbid") {
            let advice = "add unsafe_code = \"forbid\" to [workspace.lints.rust]";
            found.push(Violation::new("Cargo.toml", 1, RULE, advice));
        }
        if house.tree.text("LICENSE").is_none() {
            found.push(Violation::new("Cargo.toml", 1, RULE, "add the LICENSE file beside it"));
        }
    }
    let shared = workspace_table(house.tree.text("Cargo.toml"), &["workspace", "package"]);
    for package in &house.packages {
        for advice in missing(house, package, &shared) {
            found.push(Violation::new(&package.path, 1, RULE, advice));
        }
    }
    found
}

fn missing(house: &House, package: &Package, shared: &toml::Table) -> Vec<String> {
    let mut advice = Vec::new();
    for key in ["license", "description", "readme"] {
        match field(package, shared, key) {
            None => advice.push(format!("add `{key}` to [package]")),
            Some(readme) if key == "readme" && house.tree.text(&package.inside(&readme)).is_none() => {
                advice.push(format!("write {readme}, which the manifest names"));
            }
            Some(_) => {}
        }
    }
    if house.tree.text(&package.inside("LICENSE")).is_none() {
        advice.push("copy LICENSE into this package: it is published without the root".to_owned());
    }
    let lints = package.manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if lints.and_then(Value::as_bool) != Some(true) {
        advice.push("add [lints] workspace = true, so that unsafe code stays forbidden".to_owned());
    }
    advice
}

/// Gives a field of `[package]`, its own or the one it inherits.
fn field(package: &Package, shared: &toml::Table, key: &str) -> Option<String> {
    let value = package.manifest.get("package")?.get(key)?;
    let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let value = if inherited { shared.get(key)? } else { value };
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn level(lint: Option<&Value>) -> Option<&str> {
    lint.and_then(|lint| lint.as_str().or_else(|| lint.get("level").and_then(Value::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str =
        "[workspace.package]\nlicense = \"MIT\"\n[workspace.lints.rust]\nunsafe_code = \"forbid\"";
    const PACKAGE: &str = "[package]\nname = \"oms-core\"\nlicense.workspace = true\ndescription = \"Orders\"\n\
                           readme = \"README.md\"\n[lints]\nworkspace = true";

    fn found(root: &str, package: &str, files: [&str; 3]) -> Vec<String> {
        let [a, b, c] = files.map(|path| (path, ""));
        let house = House::of([("Cargo.toml", root), ("oms-core/Cargo.toml", package), a, b, c]);
        check(&house).into_iter().map(|violation| violation.advice).collect()
    }

    const FILES: [&str; 3] = ["LICENSE", "oms-core/LICENSE", "oms-core/README.md"];

    #[test]
    fn a_complete_package_passes() {
        assert_eq!(found(ROOT, PACKAGE, FILES), [""; 0]);
    }

    #[test]
    fn a_package_without_a_field_is_not_fit_for_publishing() {
        for key in ["license", "description", "readme"] {
            let kept: Vec<&str> = PACKAGE.lines().filter(|line| !line.starts_with(key)).collect();
            assert_eq!(found(ROOT, &kept.join("\n"), FILES), [format!("add `{key}` to [package]")]);
        }
    }

    #[test]
    fn a_field_inherited_from_nowhere_is_missing() {
        let root = ROOT.replace("license = \"MIT\"", "");
        assert_eq!(found(&root, PACKAGE, FILES), ["add `license` to [package]"]);
    }

    #[test]
    fn licence_and_readme_lie_in_every_package() {
        assert_eq!(found(ROOT, PACKAGE, ["oms-core/LICENSE", "oms-core/README.md", "a"]).len(), 1);
        assert_eq!(found(ROOT, PACKAGE, ["LICENSE", "oms-core/README.md", "a"]).len(), 1);
        assert_eq!(found(ROOT, PACKAGE, ["LICENSE", "oms-core/LICENSE", "a"]).len(), 1);
    }

    #[test]
    fn unsafe_code_is_forbidden_in_the_workspace_and_in_each_package() {
        assert_eq!(found(&ROOT.replace("forbid", "deny"), PACKAGE, FILES).len(), 1);
        assert_eq!(found(ROOT, &PACKAGE.replace("[lints]\nworkspace = true", "[lints]"), FILES).len(), 1);
        assert_eq!(found(ROOT, PACKAGE.trim_end_matches("[lints]\nworkspace = true"), FILES).len(), 1);
    }
}
