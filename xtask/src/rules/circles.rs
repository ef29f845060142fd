//! No circles between the modules of a crate, on any level of its tree.
//!
//! Two things are looked for. Among the children of one module, no chain of uses may come back to
//! where it began. And a parent that uses a child, beyond declaring it and re-exporting from it,
//! may not define what that child uses: such items want a file of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::house::{House, ModuleTree, Reference};
use crate::violation::Violation;

const RULE: &str = "circles";

/// The uses between siblings: from whom, to whom, and one place where it is written.
type Uses<'a> = BTreeMap<(&'a str, &'a str), &'a Reference>;

/// Checks every crate.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &house.packages {
        let tree = house.modules_of(package);
        let references = tree.references();
        for parent in tree.paths() {
            found.extend(among_siblings(parent, &references));
            found.extend(with_children(&tree, parent, &references));
        }
    }
    found
}

fn among_siblings(parent: &[String], references: &[Reference]) -> Vec<Violation> {
    let mut uses = Uses::new();
    for reference in references {
        let (from, to) = (child_of(parent, &reference.from), child_of(parent, &reference.to.module));
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            uses.entry((from, to)).or_insert(reference);
        }
    }
    let mut found = Vec::new();
    let mut reported = BTreeSet::new();
    let starts: BTreeSet<&str> = uses.keys().map(|(from, _)| *from).collect();
    for start in starts {
        if reported.contains(start) {
            continue;
        }
        if let Some(circle) = way_back(&uses, start) {
            found.push(report(parent, &uses, &circle));
            reported.extend(circle);
        }
    }
    found
}

/// Names the child of `parent` that `module` is or lies in.
fn child_of<'a>(parent: &[String], module: &'a [String]) -> Option<&'a str> {
    module.strip_prefix(parent)?.first().map(String::as_str)
}

/// Finds the shortest chain of uses from `start` back to itself.
fn way_back<'a>(uses: &Uses<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            let last = way.last().copied().unwrap_or(start);
            for (_, to) in uses.keys().filter(|(from, _)| *from == last) {
                if *to == start {
                    return Some(way.clone());
                }
                if seen.insert(*to) {
                    longer.push(way.iter().copied().chain([*to]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

fn report(parent: &[String], uses: &Uses<'_>, circle: &[&str]) -> Violation {
    let next = circle.iter().cycle().skip(1);
    let steps: Vec<&Reference> =
        circle.iter().zip(next).filter_map(|pair| uses.get(&(*pair.0, *pair.1)).copied()).collect();
    let first = steps.first().copied();
    let shown: Vec<String> = steps.into_iter().map(step).collect();
    let ring = [circle, &circle[..1]].concat().join(" -> ");
    let within = if parent.is_empty() { "crate".to_owned() } else { parent.join("::") };
    let advice = format!("break the circle {ring} in `{within}`, made by {}", shown.join(", "));
    let (file, line) = first.map_or(("", 1), |step| (step.file.as_str(), step.line));
    Violation::new(file, line, RULE, advice)
}

/// Shows one use of a circle: where it is written, and what it uses.
fn step(reference: &Reference) -> String {
    let used = reference.to.module.iter().chain(&reference.to.item).map(String::as_str);
    format!("{}:{} ({})", reference.file, reference.line, used.collect::<Vec<_>>().join("::"))
}

/// Finds the children that use what `parent` itself defines while `parent` uses them.
fn with_children(tree: &ModuleTree, parent: &[String], references: &[Reference]) -> Vec<Violation> {
    let mut found = Vec::new();
    for child in tree.children(parent) {
        let inside = |module: &[String]| child_of(parent, module) == Some(child);
        let down = references.iter().find(|reference| {
            reference.from == parent && inside(&reference.to.module) && !reference.handed_on
        });
        let up = references.iter().find(|reference| {
            inside(&reference.from) && reference.to.module == parent && reference.to.item.is_some()
        });
        if let (Some(down), Some(up)) = (down, up) {
            let item = up.to.item.as_deref().unwrap_or_default();
            let advice = format!(
                "move `{item}` to a file of its own: `{child}` uses it here, and its parent uses `{child}` at {}:{}",
                down.file, down.line
            );
            found.push(Violation::new(&up.file, up.line, RULE, advice));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let manifest = ("Cargo.toml", "[package]\nname = \"a-crate\"");
        let mut all = vec![manifest];
        all.extend(files);
        all.resize(8, ("README.md", ""));
        let files: [(&str, &str); 8] = all.try_into().unwrap();
        check(&House::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn siblings_may_use_each_other_in_one_direction() {
        let found = found([
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "pub struct B; use crate::c::C;"),
            ("src/c.rs", "pub struct C;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_circle_of_three_is_found_once_with_every_step() {
        let found = found([
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "\nuse super::c::C;"),
            ("src/c.rs", "fn c() { crate::a::a() }"),
        ]);
        let circle = "break the circle a -> b -> c -> a in `crate`, made by \
             src/a.rs:1 (b::B), src/b.rs:2 (c::C), src/c.rs:1 (a::a)";
        assert_eq!(found, [format!("src/a.rs:1: circles: {circle}")]);
    }

    #[test]
    fn a_circle_inside_a_folder_is_found() {
        let found = found([("src/order/a.rs", "use super::b::B;"), ("src/order/b.rs", "use super::a::A;")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("in `order`"), "{found:?}");
    }

    #[test]
    fn a_circle_through_a_re_export_of_the_parent_is_found() {
        let found = found([
            ("src/order/mod.rs", "pub use a::A; pub use b::B;"),
            ("src/order/a.rs", "use super::B; pub struct A;"),
            ("src/order/b.rs", "use super::A; pub struct B;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_child_may_use_its_parent_when_the_parent_only_re_exports_it() {
        let found = found([
            ("src/store/mod.rs", "mod memory; pub use memory::Memory; pub trait Store {}"),
            ("src/store/memory.rs", "use super::Store; pub struct Memory;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_parent_that_uses_a_child_may_not_define_what_the_child_uses() {
        let found = found([
            ("src/store/mod.rs", "mod memory; pub trait Store {} fn open() -> memory::Memory { loop {} }"),
            ("src/store/memory.rs", "use super::Store; pub struct Memory;"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("move `Store` to a file of its own"), "{found:?}");
    }

    #[test]
    fn unit_tests_may_use_all_of_their_parent() {
        assert_eq!(
            found([("src/a.rs", "fn a() {} #[cfg(test)] mod tests { use super::*; fn t() { a() } }")]),
            [""; 0]
        );
    }
}
