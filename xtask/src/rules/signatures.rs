//! No client library shows through a public signature, but for one marked escape hatch per package.

use std::collections::BTreeSet;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Visibility};

use super::crates::CLIENTS;
use crate::house::{House, MentionKind, Source};
use crate::violation::Violation;

const RULE: &str = "signatures";

/// The words of a doc line that mark the one deliberate exception of a package.
const MARK: &str = "Escape hatch";

/// Checks every public function, field, variant, alias, constant and re-export.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &house.packages {
        let mut hatches = 0;
        for source in house.sources_of(package) {
            let mut reader = Reader { clients: client_names(source), shown: Vec::new() };
            reader.visit_file(&source.syntax);
            for shown in reader.shown {
                hatches += usize::from(shown.marked);
                if let Some(advice) = forbidden(&shown, hatches) {
                    found.push(Violation::new(&source.path, shown.line, RULE, advice));
                }
            }
        }
    }
    found
}

fn forbidden(shown: &Shown, hatches: usize) -> Option<String> {
    let name = &shown.name;
    if !shown.marked {
        return Some(format!(
            "hide `{name}` behind a type of ours, or mark the item with a doc line \"{MARK}\""
        ));
    }
    (hatches > 1)
        .then(|| format!("hide `{name}`: a package has one escape hatch, and this is number {hatches}"))
}

/// Lists the names that stand for something of a client crate in this file.
fn client_names(source: &Source) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = CLIENTS.iter().map(|name| (*name).to_owned()).collect();
    for mention in &source.mentions {
        if let MentionKind::Import { name, .. } = &mention.kind
            && mention.segments.first().is_some_and(|first| CLIENTS.contains(&first.as_str()))
        {
            names.insert(name.clone());
        }
    }
    names
}

/// An item that shows a client type: at which line, which one, and whether it is marked.
struct Shown {
    line: usize,
    name: String,
    marked: bool,
}

/// Walks the public items of a file.
struct Reader {
    clients: BTreeSet<String>,
    shown: Vec<Shown>,
}

impl Reader {
    /// Notes the first client type that `look` meets in an item with `attributes`.
    fn judge(&mut self, attributes: &[Attribute], look: impl FnOnce(&mut Search<'_>)) {
        let mut search = Search { clients: &self.clients, first: None };
        look(&mut search);
        if let Some((line, name)) = search.first {
            self.shown.push(Shown { line, name, marked: is_marked(attributes) });
        }
    }

    fn fields(&mut self, owner: &[Attribute], fields: &syn::Fields, always: bool) {
        for field in fields.iter().filter(|field| always || is_public(&field.vis)) {
            let attributes: Vec<Attribute> = owner.iter().chain(&field.attrs).cloned().collect();
            self.judge(&attributes, |search| search.visit_type(&field.ty));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_signature(&item.sig));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_signature(&item.sig));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if is_public(&item.vis) {
            visit::visit_item_trait(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.judge(&item.attrs, |search| search.visit_signature(&item.sig));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_public(&item.vis) {
            self.fields(&item.attrs, &item.fields, false);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_public(&item.vis) {
            for variant in &item.variants {
                let attributes: Vec<Attribute> = item.attrs.iter().chain(&variant.attrs).cloned().collect();
                self.fields(&attributes, &variant.fields, true);
            }
        }
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_type(&item.ty));
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_type(&item.ty));
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_type(&item.ty));
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_public(&item.vis) {
            self.judge(&item.attrs, |search| search.visit_use_tree(&item.tree));
        }
    }
}

/// Looks for the first client type in a signature.
struct Search<'a> {
    clients: &'a BTreeSet<String>,
    first: Option<(usize, String)>,
}

impl Search<'_> {
    fn see(&mut self, name: &syn::Ident, line: usize) {
        if self.clients.contains(&name.to_string()) && self.first.is_none() {
            self.first = Some((line, name.to_string()));
        }
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            self.see(&first.ident, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        self.see(&path.ident, path.span().start().line);
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.see(&name.ident, name.span().start().line);
    }

    fn visit_use_rename(&mut self, name: &'ast syn::UseRename) {
        self.see(&name.ident, name.span().start().line);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_marked(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => {
            matches!(&pair.value, Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().contains(MARK))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        let manifest = ("adapters/kafka/Cargo.toml", "[package]\nname = \"oms-kafka\"");
        check(&House::of([manifest, ("adapters/kafka/src/lib.rs", text)])).len()
    }

    #[test]
    fn private_items_and_bodies_may_use_the_client() {
        assert_eq!(count("fn a(_: rdkafka::Message) {} pub(crate) fn b() -> rdkafka::Error { c() }"), 0);
        assert_eq!(count("pub struct A { inner: rdkafka::Client } pub fn b() { rdkafka::c(); }"), 0);
    }

    #[test]
    fn public_functions_and_methods_hide_the_client() {
        assert_eq!(count("pub fn a(_: rdkafka::Message) {}"), 1);
        assert_eq!(count("struct A; impl A { pub fn b(&self) -> Option<&lapin::Channel> { None } }"), 1);
        assert_eq!(count("pub trait A { fn b(&self) -> Result<(), sqlx::Error>; }"), 1);
    }

    #[test]
    fn a_client_type_under_an_imported_name_is_seen() {
        assert_eq!(count("use async_nats::jetstream::Context as Stream;\npub fn a() -> Stream { b() }"), 1);
    }

    #[test]
    fn public_fields_variants_aliases_and_re_exports_hide_the_client() {
        assert_eq!(count("pub struct A { pub b: rdkafka::Client }"), 1);
        assert_eq!(count("pub enum A { B(rdkafka::Error) }"), 1);
        assert_eq!(count("pub type A = rdkafka::Client;"), 1);
        assert_eq!(count("pub use rdkafka::ClientConfig;"), 1);
    }

    #[test]
    fn one_escape_hatch_is_allowed_and_a_second_is_not() {
        let hatch = "/// Escape hatch: the raw client.\npub fn a() -> rdkafka::Client { b() }\n";
        assert_eq!(count(hatch), 0);
        assert_eq!(count(&hatch.repeat(2)), 1);
    }
}
