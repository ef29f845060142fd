//! The workspace as the rules see it: files, packages, parsed sources.

mod module;
mod package;
mod scan;
mod source;

pub(crate) use module::{ModuleTree, Reference};
pub(crate) use package::{Dependency, Package, workspace_table};
pub(crate) use scan::each_level;
pub(crate) use source::{Mention, MentionKind, Source};

use crate::tree::Tree;
use crate::violation::Violation;

/// All that a rule may look at.
pub(crate) struct House {
    pub(crate) tree: Tree,
    pub(crate) packages: Vec<Package>,
    pub(crate) sources: Vec<Source>,
    /// Files that could not be parsed, which no rule can then vouch for.
    pub(crate) unreadable: Vec<Violation>,
}

impl House {
    /// Parses every manifest and every Rust file of `tree` once.
    pub(crate) fn new(tree: Tree) -> Self {
        let mut unreadable = Vec::new();
        let mut packages = Vec::new();
        for (path, text) in tree.iter().filter(|(path, _)| is_manifest(path)) {
            match Package::parse(path, text) {
                Ok(package) => packages.extend(package),
                Err(said) => {
                    unreadable.push(Violation::new(path, 1, "parse", format!("mend the TOML: {said}")))
                }
            }
        }
        let mut sources = Vec::new();
        for (path, text) in tree.ending(".rs") {
            match Source::parse(path, text) {
                Ok(source) => sources.push(source),
                Err((line, said)) => {
                    unreadable.push(Violation::new(path, line, "parse", format!("mend the Rust: {said}")));
                }
            }
        }
        Self { tree, packages, sources, unreadable }
    }

    /// Makes a house out of paths and texts.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self::new(Tree::of(files))
    }

    /// Walks the sources below the `src` folder of `package`.
    pub(crate) fn sources_of<'a>(&'a self, package: &Package) -> impl Iterator<Item = &'a Source> + use<'a> {
        let folder = package.inside("src/");
        self.sources.iter().filter(move |source| source.path.starts_with(&folder))
    }

    /// Builds the module tree of `package`.
    pub(crate) fn modules_of(&self, package: &Package) -> ModuleTree {
        ModuleTree::new(&package.name, &package.inside("src/"), self.sources_of(package))
    }
}

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_parse_is_reported_at_its_line() {
        let house = House::of([("oms-core/src/lib.rs", "//! Core.\n\nfn {")]);
        assert_eq!(house.unreadable.len(), 1);
        assert_eq!(house.unreadable[0].line, 3);
    }

    #[test]
    fn a_manifest_that_does_not_parse_is_reported() {
        assert_eq!(House::of([("oms-core/Cargo.toml", "[package")]).unreadable.len(), 1);
    }
}
