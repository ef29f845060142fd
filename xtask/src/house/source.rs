//! One parsed Rust file: its modules, its items, and every path it mentions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::scan;

/// A Rust file, parsed once.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: usize,
    pub(crate) first_line: String,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
    pub(crate) mentions: Vec<Mention>,
    /// What is defined here, as (modules written inside this file, name).
    pub(crate) items: BTreeSet<(Vec<String>, String)>,
    /// The modules written inside this file, with the line each starts on.
    pub(crate) modules: Vec<(Vec<String>, usize)>,
    /// The types and traits named here, with their lines.
    pub(crate) types: Vec<(String, usize)>,
}

/// A path that the code mentions.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    /// The modules written inside the file that the mention stands in.
    pub(crate) inside: Vec<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) kind: MentionKind,
    pub(crate) line: usize,
}

/// The ways to mention a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MentionKind {
    /// `use path;` under the name it gets here; `public` when the name is handed on.
    Import { name: String, public: bool },
    /// `use path::*;`
    Glob { public: bool },
    /// A path in an expression, a type, a pattern, an attribute or a macro.
    Path,
}

impl Source {
    /// Parses `text`, or says at which line it cannot be parsed and why.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, (usize, String)> {
        let failed = |line: usize, said: String| (line.max(1), said);
        let tokens: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| failed(error.span().start().line, error.to_string()))?;
        let syntax = syn::parse2::<syn::File>(tokens.clone())
            .map_err(|error| failed(error.span().start().line, error.to_string()))?;
        let mut reader = Reader::default();
        reader.visit_file(&syntax);
        Ok(Self {
            path: path.to_owned(),
            lines: text.lines().count(),
            first_line: text.lines().next().unwrap_or_default().to_owned(),
            tokens,
            syntax,
            mentions: reader.mentions,
            items: reader.items,
            modules: reader.modules,
            types: reader.types,
        })
    }
}

/// Walks the syntax tree and notes what it meets.
#[derive(Default)]
struct Reader {
    mentions: Vec<Mention>,
    items: BTreeSet<(Vec<String>, String)>,
    modules: Vec<(Vec<String>, usize)>,
    types: Vec<(String, usize)>,
    inside: Vec<String>,
    /// How many blocks deep the walk is: an item inside a function belongs to no module.
    blocks: usize,
}

impl Reader {
    fn note(&mut self, segments: Vec<String>, kind: MentionKind, line: usize) {
        self.mentions.push(Mention { inside: self.inside.clone(), segments, kind, line });
    }

    fn import(&mut self, tree: &syn::UseTree, mut before: Vec<String>, public: bool) {
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, public);
            }
            syn::UseTree::Name(name) => self.imported(before, &name.ident, &name.ident, public, line),
            syn::UseTree::Rename(name) => self.imported(before, &name.ident, &name.rename, public, line),
            syn::UseTree::Glob(_) => self.note(before, MentionKind::Glob { public }, line),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before.clone(), public);
                }
            }
        }
    }

    fn imported(
        &mut self,
        mut path: Vec<String>,
        from: &syn::Ident,
        name: &syn::Ident,
        public: bool,
        line: usize,
    ) {
        let renamed = from != name;
        // `use a::b::{self}` gives the name `b`.
        let name = match path.last() {
            Some(last) if from == "self" && !renamed => last.clone(),
            _ => name.to_string(),
        };
        if from != "self" || path.is_empty() {
            path.push(from.to_string());
        }
        self.note(path, MentionKind::Import { name, public }, line);
    }

    fn define(&mut self, item: &syn::Item) {
        let (ident, is_type) = match item {
            syn::Item::Struct(item) => (&item.ident, true),
            syn::Item::Enum(item) => (&item.ident, true),
            syn::Item::Union(item) => (&item.ident, true),
            syn::Item::Trait(item) => (&item.ident, true),
            syn::Item::TraitAlias(item) => (&item.ident, true),
            syn::Item::Type(item) => (&item.ident, true),
            syn::Item::Const(item) => (&item.ident, false),
            syn::Item::Static(item) => (&item.ident, false),
            syn::Item::Fn(item) => (&item.sig.ident, false),
            syn::Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => (ident, false),
            _ => return,
        };
        if is_type {
            self.types.push((ident.to_string(), ident.span().start().line));
        }
        if self.blocks == 0 {
            self.items.insert((self.inside.clone(), ident.to_string()));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.define(item);
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.inside.push(module.ident.to_string());
        if module.content.is_some() {
            self.modules.push((self.inside.clone(), module.ident.span().start().line));
        }
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, Vec::new(), !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    // `pub(super)` and `pub(in crate::room)` grant a view; they use nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(segments, MentionKind::Path, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        for (segments, line) in scan::paths(tokens) {
            self.note(segments, MentionKind::Path, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(text: &str) -> Vec<String> {
        let source = Source::parse("a.rs", text).unwrap();
        source
            .mentions
            .iter()
            .map(|mention| format!("{}:{}", mention.segments.join("::"), mention.line))
            .collect()
    }

    #[test]
    fn grouped_and_nested_imports_are_flattened() {
        let found = mentions("use crate::{id::OrderId,\n store::{self, Store as Kept}};");
        assert_eq!(found, ["crate::id::OrderId:1", "crate::store:2", "crate::store::Store:2"]);
    }

    #[test]
    fn paths_in_types_expressions_patterns_and_macros_are_mentioned() {
        let found = mentions("fn f(a: a::A) {\n let b::B = b::new();\n println!(\"{}\", c::C);\n}");
        assert_eq!(found, ["a::A:1", "b::B:2", "b::new:2", "println:3", "c::C:3"]);
    }

    #[test]
    fn rustdoc_examples_and_visibilities_mention_nothing() {
        let found = mentions("/// ```\n/// crate::store::open();\n/// ```\npub(super) struct A;");
        // All that is left is the attribute that a doc comment becomes.
        assert_eq!(found, ["doc:1", "doc:2", "doc:3"]);
    }

    #[test]
    fn an_item_in_a_module_written_inside_the_file_belongs_to_it() {
        let source = Source::parse("a.rs", "struct A; mod tests { fn b() { struct C; } }").unwrap();
        let items: Vec<_> = source.items.iter().map(|(inside, name)| format!("{inside:?}{name}")).collect();
        assert_eq!(items, ["[]A", "[\"tests\"]b"]);
    }
}
