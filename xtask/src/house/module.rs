//! The module tree of one crate, which knows where every mentioned path leads.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Mention, MentionKind, Source};

/// A module from the crate root down; the root itself is empty.
pub(crate) type ModulePath = Vec<String>;

/// How many re-exports are followed before a path counts as leading nowhere.
const FOLLOW: usize = 8;

/// Where a path leads: a module of this crate, and the item in it unless it is the module itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) module: ModulePath,
    pub(crate) item: Option<String>,
}

/// One use of one module by another.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) from: ModulePath,
    pub(crate) to: Target,
    pub(crate) file: String,
    pub(crate) line: usize,
    /// Whether the module only hands the name on, with `pub use`.
    pub(crate) handed_on: bool,
}

#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// The modules of a crate.
pub(crate) struct ModuleTree {
    crate_name: String,
    modules: BTreeMap<ModulePath, Module>,
    mentions: Vec<(ModulePath, String, Mention)>,
}

/// What a name stands for where it is read.
enum Meaning {
    Ours(Target),
    Foreign,
    Unknown,
}

impl ModuleTree {
    /// Reads the modules out of the files below `folder`, the `src/` of the package `name`.
    pub(crate) fn new<'a>(name: &str, folder: &str, sources: impl Iterator<Item = &'a Source>) -> Self {
        let mut tree =
            Self { crate_name: name.replace('-', "_"), modules: BTreeMap::new(), mentions: Vec::new() };
        tree.modules.insert(Vec::new(), Module::default());
        for source in sources {
            // Each file in src/bin is a crate of its own, and nothing can use it.
            if let Some(module) = source.path.strip_prefix(folder).filter(|path| !path.starts_with("bin/")) {
                tree.add(&module_of_file(module), source);
            }
        }
        tree
    }

    fn add(&mut self, base: &ModulePath, source: &Source) {
        self.module(base, &source.path);
        for (inside, _) in &source.modules {
            self.module(&joined(base, inside), &source.path);
        }
        for (inside, item) in &source.items {
            self.module(&joined(base, inside), &source.path).items.insert(item.clone());
        }
        for mention in &source.mentions {
            let path = joined(base, &mention.inside);
            let module = self.module(&path, &source.path);
            match &mention.kind {
                MentionKind::Import { name, .. } => {
                    module.imports.insert(name.clone(), mention.segments.clone());
                }
                MentionKind::Glob { .. } => module.globs.push(mention.segments.clone()),
                MentionKind::Path => {}
            }
            self.mentions.push((path, source.path.clone(), mention.clone()));
        }
    }

    /// Gives the module at `path`, entered into its parent, and made if it is new.
    fn module(&mut self, path: &ModulePath, file: &str) -> &mut Module {
        if let Some((name, parent)) = path.split_last() {
            self.module(&parent.to_vec(), file).children.insert(name.clone());
        }
        let module = self.modules.entry(path.clone()).or_default();
        if module.file.is_empty() || file.trim_end_matches(".rs").ends_with("/mod") {
            file.clone_into(&mut module.file);
        }
        module
    }

    /// Lists the modules directly below `path`.
    pub(crate) fn children(&self, path: &[String]) -> Vec<&str> {
        self.modules.get(path).into_iter().flat_map(|module| &module.children).map(String::as_str).collect()
    }

    /// Lists every module, the root first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &ModulePath> {
        self.modules.keys()
    }

    /// Names the file that `path` is written in.
    pub(crate) fn file(&self, path: &[String]) -> &str {
        self.modules.get(path).map_or("", |module| module.file.as_str())
    }

    /// Lists every use of one module of this crate by another.
    pub(crate) fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        for (from, file, mention) in &self.mentions {
            let Some(to) = self.target(from, mention) else { continue };
            if &to.module == from {
                continue;
            }
            let handed_on = matches!(
                mention.kind,
                MentionKind::Import { public: true, .. } | MentionKind::Glob { public: true }
            );
            let (from, file) = (from.clone(), file.clone());
            found.push(Reference { from, to, file, line: mention.line, handed_on });
        }
        found
    }

    fn target(&self, from: &ModulePath, mention: &Mention) -> Option<Target> {
        if let ([name], MentionKind::Path) = (mention.segments.as_slice(), &mention.kind) {
            return self.through_globs(from, name);
        }
        match self.resolve(from, &mention.segments, FOLLOW) {
            Meaning::Ours(target) => Some(target),
            Meaning::Foreign | Meaning::Unknown => None,
        }
    }

    /// Follows a single name, which is a use of another module only where a glob brought it in.
    ///
    /// It may as well be a local variable, so it must lead to an item that is known to exist.
    fn through_globs(&self, from: &ModulePath, name: &str) -> Option<Target> {
        let module = self.modules.get(from)?;
        if module.children.contains(name) || module.items.contains(name) || module.imports.contains_key(name)
        {
            return None;
        }
        match self.named(from, name, &[], FOLLOW) {
            Meaning::Ours(Target { module, item: Some(item) }) => {
                let known = self.modules.get(&module)?.items.contains(&item);
                known.then_some(Target { module, item: Some(item) })
            }
            Meaning::Ours(_) | Meaning::Foreign | Meaning::Unknown => None,
        }
    }

    fn resolve(&self, from: &[String], segments: &[String], follow: usize) -> Meaning {
        let Some((first, rest)) = segments.split_first() else { return Meaning::Unknown };
        match first.as_str() {
            "crate" => self.walk(&[], rest, follow),
            "self" | "super" => self.walk(from, segments, follow),
            name if name == self.crate_name => self.walk(&[], rest, follow),
            name => self.named(from, name, rest, follow),
        }
    }

    /// Follows `segments` downwards from `module`.
    fn walk(&self, module: &[String], segments: &[String], follow: usize) -> Meaning {
        let Some((first, rest)) = segments.split_first() else {
            return Meaning::Ours(Target { module: module.to_vec(), item: None });
        };
        match first.as_str() {
            "self" => self.walk(module, rest, follow),
            "super" => self.walk(&module[..module.len().saturating_sub(1)], rest, follow),
            name => match self.named(module, name, rest, follow) {
                // Something a macro made, perhaps: it can only be an item of this very module.
                Meaning::Unknown => {
                    Meaning::Ours(Target { module: module.to_vec(), item: Some(name.to_owned()) })
                }
                known => known,
            },
        }
    }

    /// Finds what `name` means inside `module`: a child, an item, an import, or what a glob brings in.
    fn named(&self, module: &[String], name: &str, rest: &[String], follow: usize) -> Meaning {
        let Some(known) = self.modules.get(module).filter(|_| follow > 0) else { return Meaning::Unknown };
        if known.children.contains(name) {
            return self.walk(&joined(module, &[name.to_owned()]), rest, follow);
        }
        if known.items.contains(name) {
            return Meaning::Ours(Target { module: module.to_vec(), item: Some(name.to_owned()) });
        }
        if let Some(import) = known.imports.get(name) {
            return match self.resolve(module, &joined(import, rest), follow - 1) {
                Meaning::Ours(target) => Meaning::Ours(target),
                Meaning::Foreign | Meaning::Unknown => Meaning::Foreign,
            };
        }
        for glob in &known.globs {
            let Meaning::Ours(Target { module: opened, item: None }) = self.resolve(module, glob, follow - 1)
            else {
                continue;
            };
            match self.named(&opened, name, rest, follow - 1) {
                Meaning::Unknown => {}
                known => return known,
            }
        }
        Meaning::Unknown
    }
}

fn joined(before: &[String], after: &[String]) -> Vec<String> {
    before.iter().chain(after).cloned().collect()
}

/// Turns `order/state.rs` into the module `order::state`, and `order/mod.rs` into `order`.
fn module_of_file(path: &str) -> ModulePath {
    let mut module: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let own = module.last().is_some_and(|last| last == "mod");
    let root = module.len() == 1 && (module[0] == "lib" || module[0] == "main");
    if own || root {
        module.pop();
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists the references of a crate as `from -> module::item`.
    fn references<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::parse(path, text).unwrap()).collect();
        let tree = ModuleTree::new("oms-core", "src/", sources.iter());
        let shown = |reference: Reference| {
            let item = reference.to.item.unwrap_or_default();
            format!("{} -> {}::{item}", reference.from.join("::"), reference.to.module.join("::"))
        };
        tree.references().into_iter().map(shown).collect()
    }

    #[test]
    fn paths_from_the_crate_from_above_and_by_the_crate_name_lead_to_one_place() {
        let found = references([
            ("src/lib.rs", "mod id; mod order;"),
            ("src/id.rs", "pub struct Id;"),
            ("src/order.rs", "fn a(_: crate::id::Id, _: super::id::Id, _: oms_core::id::Id) {}"),
        ]);
        assert_eq!(found, ["order -> id::Id"; 3]);
    }

    #[test]
    fn a_re_export_is_followed_to_where_the_item_lives() {
        let found = references([
            ("src/lib.rs", "pub use worker::Worker;"),
            ("src/worker/mod.rs", "pub use turn::*;"),
            ("src/worker/turn.rs", "pub struct Worker;"),
            ("src/id.rs", "use crate::Worker;"),
        ]);
        assert!(found.contains(&"id -> worker::turn::Worker".to_owned()), "{found:?}");
    }

    #[test]
    fn a_name_brought_in_by_a_glob_leads_to_its_module() {
        let found = references([
            ("src/order/mod.rs", "pub use state::State;"),
            ("src/order/state.rs", "pub struct State;"),
            ("src/order/rules.rs", "use super::*;\nfn a(_: State) {}"),
        ]);
        assert!(found.contains(&"order::rules -> order::state::State".to_owned()), "{found:?}");
    }

    #[test]
    fn names_of_other_crates_lead_nowhere() {
        let found = references([
            ("src/lib.rs", "use std::io;"),
            ("src/id.rs", "use super::io::Error; fn a(_: serde::Value) { let order = 1; order + 1; }"),
            ("src/order.rs", ""),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_module_written_inside_a_file_is_a_module() {
        let found = references([
            ("src/order.rs", "mod tests { use super::super::oms::Oms; }"),
            ("src/oms.rs", "pub struct Oms;"),
        ]);
        assert_eq!(found, ["order::tests -> oms::Oms"]);
    }
}
