//! A decision is half a page.

use crate::house::House;
use crate::violation::Violation;

const MOST_LINES: usize = 60;

/// Checks the length of every ADR.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let decisions = house.tree.ending(".md").filter(|(path, _)| path.starts_with("docs/adr/"));
    let long =
        decisions.map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > MOST_LINES);
    let report = |(path, lines): (&str, usize)| {
        let advice = format!("shorten it: {lines} lines, and an ADR stops at {MOST_LINES}");
        Violation::new(path, MOST_LINES + 1, "decision length", advice)
    };
    long.map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_of_60_lines_passes_and_one_more_does_not() {
        let full = "line\n".repeat(60);
        let long = format!("{full}\n");
        assert!(check(&House::of([("docs/adr/0001-a.md", &full), ("docs/guide.md", &long)])).is_empty());
        assert_eq!(check(&House::of([("docs/adr/0001-a.md", &long)])).len(), 1);
    }
}
