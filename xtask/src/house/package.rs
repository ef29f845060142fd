//! One package: its manifest, with every kind of dependency in it.

use toml::{Table, Value};

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder from the root, without a slash at the end; empty for the root.
    pub(crate) folder: String,
    pub(crate) path: String,
    pub(crate) manifest: Table,
    text: String,
}

/// One dependency, whatever section it stands in.
pub(crate) struct Dependency {
    /// The name of the package, which differs from the key when it is renamed.
    pub(crate) package: String,
    /// The section of the manifest, such as `dev-dependencies`.
    pub(crate) section: String,
    pub(crate) line: usize,
}

impl Package {
    /// Reads a manifest; a virtual one, which has no package, gives none.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Option<Self>, String> {
        let manifest: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let Some(name) = name.map(str::to_owned) else { return Ok(None) };
        let folder = path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned();
        Ok(Some(Self { name, folder, path: path.to_owned(), manifest, text: text.to_owned() }))
    }

    /// Gives the path from the root of `name` inside this package.
    pub(crate) fn inside(&self, name: &str) -> String {
        if self.folder.is_empty() { name.to_owned() } else { format!("{}/{name}", self.folder) }
    }

    /// Lists the dependencies: normal, dev and build ones, those of a target and optional ones.
    ///
    /// `shared` is the `[workspace.dependencies]` table, where an inherited one may be renamed.
    pub(crate) fn dependencies(&self, shared: &Table) -> Vec<Dependency> {
        let mut found = Vec::new();
        self.sections(&self.manifest, "", shared, &mut found);
        let targets = self.manifest.get("target").and_then(Value::as_table);
        for (target, table) in targets.into_iter().flatten() {
            if let Some(table) = table.as_table() {
                self.sections(table, &format!("target.{target}."), shared, &mut found);
            }
        }
        found
    }

    fn sections(&self, table: &Table, prefix: &str, shared: &Table, found: &mut Vec<Dependency>) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = renamed(value, key, shared);
                let line = line_of(&self.text, kind, key);
                found.push(Dependency { package, section: format!("{prefix}{kind}"), line });
            }
        }
    }
}

/// Gives the table at `path`, such as `["workspace", "dependencies"]`, of the root manifest; empty if none.
pub(crate) fn workspace_table(root_manifest: Option<&str>, path: &[&str]) -> Table {
    let mut table = root_manifest.and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    for name in path {
        table = match table.remove(*name) {
            Some(Value::Table(inner)) => inner,
            _ => Table::new(),
        };
    }
    table
}

fn renamed(value: &Value, key: &str, shared: &Table) -> String {
    let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let source = if inherited { shared.get(key) } else { Some(value) };
    let package = source.and_then(|source| source.get("package")).and_then(Value::as_str);
    package.unwrap_or(key).to_owned()
}

/// Finds the line where `key` is given in a section whose name ends in `kind`; the first line if it hides.
fn line_of(text: &str, kind: &str, key: &str) -> usize {
    let mut inside = false;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or(header);
            inside = ends_in_section(header, kind);
            if header
                .strip_suffix(key)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| ends_in_section(rest, kind))
            {
                return index + 1;
            }
        } else if inside
            && line.split([' ', '.', '=']).next().is_some_and(|word| word.trim_matches('"') == key)
        {
            return index + 1;
        }
    }
    1
}

fn ends_in_section(header: &str, kind: &str) -> bool {
    header == kind || header.ends_with(&format!(".{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"[package]
name = "oms-kafka"

[dependencies]
oms-core.workspace = true
wire = { workspace = true, optional = true }

[dev-dependencies.oms-sqlite]
path = "../../stores/sqlite"

[target.'cfg(unix)'.build-dependencies]
bindings = { package = "cc", version = "1" }
"#;

    fn found() -> Vec<(String, String, usize)> {
        let shared = "wire = { package = \"rdkafka\", version = \"0.38\" }".parse().unwrap();
        let package = Package::parse("adapters/kafka/Cargo.toml", MANIFEST).unwrap().unwrap();
        let dependencies = package.dependencies(&shared).into_iter();
        dependencies.map(|dependency| (dependency.package, dependency.section, dependency.line)).collect()
    }

    #[test]
    fn every_kind_of_dependency_is_found_with_its_line() {
        let found = found();
        assert!(found.contains(&("oms-core".into(), "dependencies".into(), 5)), "{found:?}");
        assert!(found.contains(&("oms-sqlite".into(), "dev-dependencies".into(), 8)), "{found:?}");
        let build = "target.cfg(unix).build-dependencies".to_owned();
        assert!(found.contains(&("cc".into(), build, 12)), "{found:?}");
    }

    #[test]
    fn a_name_given_in_the_workspace_table_is_seen_through() {
        assert!(found().contains(&("rdkafka".into(), "dependencies".into(), 6)));
    }
}
