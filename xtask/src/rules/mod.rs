//! The house rules, one file each, every one a pure function from the house to its violations.

mod architecture;
mod arrows;
mod circles;
mod core_words;
mod crates;
mod decisions;
mod files;
mod floors;
mod left_over;
mod links;
mod names;
mod packages;
mod signatures;

use crate::house::House;
use crate::violation::Violation;

/// A rule: what it finds broken in the house.
type Rule = fn(&House) -> Vec<Violation>;

const RULES: &[Rule] = &[
    arrows::check,
    floors::check,
    circles::check,
    files::check,
    names::check,
    core_words::check,
    signatures::check,
    packages::check,
    links::check,
    left_over::check,
    decisions::check,
    architecture::check,
];

/// Counts the rules.
pub(crate) fn count() -> usize {
    RULES.len()
}

/// Applies every rule, and lists what is broken by path and line.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = house.unreadable.clone();
    found.extend(RULES.iter().flat_map(|rule| rule(house)));
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_parsed_is_a_violation_too() {
        let found = check(&House::of([("a.rs", "//! A.\nfn {")]));
        assert!(found.iter().any(|violation| violation.rule == "parse"), "{found:?}");
    }

    #[test]
    fn violations_come_in_the_order_of_their_places() {
        // The rule on openings runs before the one on names, yet a.rs comes first.
        let found = check(&House::of([("b.rs", "struct A;"), ("a.rs", "//! A.\nmod utils {}")]));
        let places: Vec<_> = found.iter().map(|found| (found.path.as_str(), found.line)).collect();
        assert_eq!(places, [("a.rs", 2), ("b.rs", 1)]);
    }
}
