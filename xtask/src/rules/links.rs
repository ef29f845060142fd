//! Every relative link of every Markdown file leads somewhere, and no README is too long to read.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::house::House;
use crate::tree::Tree;
use crate::violation::Violation;

const RULE: &str = "links";
const MOST_README_LINES: usize = 150;

/// Checks the Markdown files. Links to the web are not fetched: the check works without a network.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in house.tree.ending(".md") {
        for (link, line) in links(text) {
            if let Some(advice) = broken(&house.tree, path, text, &link) {
                found.push(Violation::new(path, line, RULE, advice));
            }
        }
        let lines = text.lines().count();
        if path.rsplit('/').next() == Some("README.md") && lines > MOST_README_LINES {
            let advice = format!("shorten it: {lines} lines, and a README stops at {MOST_README_LINES}");
            found.push(Violation::new(path, MOST_README_LINES + 1, "readme length", advice));
        }
    }
    found
}

fn links(text: &str) -> Vec<(String, usize)> {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter();
    let found = parser.filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some((dest_url.into_string(), text[..range.start].matches('\n').count() + 1))
        }
        _ => None,
    });
    found.collect()
}

/// Says what is wrong with a link, if anything is.
fn broken(tree: &Tree, page: &str, text: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let link = link.replace("%20", " ");
    let (file, anchor) =
        link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
    let Some(target) = target(page, file) else {
        return Some(format!("mend the link `{link}`: it leaves the repository"));
    };
    if !tree.holds(&target) {
        return Some(format!("mend the link `{link}`: there is no {target}"));
    }
    let text = if file.is_empty() { Some(text) } else { tree.text(&target) };
    let known = match (anchor, text) {
        (None, _) => true,
        (Some(anchor), Some(text)) if target.ends_with(".md") => anchors(text).contains(anchor),
        (Some(anchor), Some(text)) => is_line(anchor, text),
        (Some(_), None) => false,
    };
    (!known).then(|| format!("mend the link `{link}`: {target} has no such anchor"))
}

/// Gives the path from the root that `file` means when `page` links to it; nothing if it climbs out.
fn target(page: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = if file.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in file.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// Lists the anchors a page offers: its headings, spelled as GitHub spells them, and its own.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let again = (1..).map(|count| format!("{slug}-{count}"));
                let free = std::iter::once(slug.clone()).chain(again).find(|slug| !found.contains(slug));
                found.extend(free);
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => found.extend(own_anchor(&html)),
            _ => {}
        }
    }
    found
}

fn slug(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn own_anchor(html: &str) -> Option<String> {
    let after = html.split_once("id=\"").or_else(|| html.split_once("name=\""))?.1;
    after.split_once('"').map(|(name, _)| name.to_owned())
}

/// Says whether `anchor` is a line of `text`, written `L10` or `L10-L20`.
fn is_line(anchor: &str, text: &str) -> bool {
    let lines = text.lines().count();
    anchor.split('-').all(|part| {
        let number = part.strip_prefix('L').and_then(|number| number.parse::<usize>().ok());
        number.is_some_and(|number| (1..=lines).contains(&number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "# The core\n\n## `decide`, then do!\n\n## Again\n\n## Again\n\n<a id=\"own\"></a>\n";

    fn found(page: &str) -> Vec<String> {
        let files =
            [("docs/page.md", page), ("oms-core/README.md", CORE), ("oms-core/src/lib.rs", "//! Core.\n")];
        check(&House::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_files_folders_and_the_web_pass() {
        let page = "[a](../oms-core/README.md) [b](/oms-core/src) [c](https://example.com/none) ![d](page.md)\n\n[e]: .\n[e]";
        assert_eq!(found(page), [""; 0]);
    }

    #[test]
    fn a_link_to_nothing_is_reported_at_its_line() {
        let advice = "docs/page.md:3: links: mend the link `gone.md`: there is no docs/gone.md";
        assert_eq!(found("# Page\n\n[a](gone.md)"), [advice]);
        assert_eq!(found("[a][b]\n\n[b]: gone.md").len(), 1);
        assert_eq!(found("![a](gone.png)").len(), 1);
    }

    #[test]
    fn a_link_out_of_the_repository_is_reported() {
        assert_eq!(found("[a](../../oms-core/README.md)").len(), 1);
    }

    #[test]
    fn anchors_are_spelled_as_on_the_page() {
        for anchor in ["the-core", "decide-then-do", "again", "again-1", "own"] {
            assert_eq!(found(&format!("[a](../oms-core/README.md#{anchor})")), [""; 0], "{anchor}");
        }
        assert_eq!(found("[a](../oms-core/README.md#again-2)").len(), 1);
        assert_eq!(found("# Here\n\n[a](#here)"), [""; 0]);
        assert_eq!(found("# Here\n\n[a](#there)").len(), 1);
    }

    #[test]
    fn a_line_of_a_source_file_exists() {
        assert_eq!(found("[a](../oms-core/src/lib.rs#L1)"), [""; 0]);
        assert_eq!(found("[a](../oms-core/src/lib.rs#L2)").len(), 1);
    }

    #[test]
    fn links_in_code_are_text() {
        assert_eq!(found("`[a](gone.md)`\n\n```\n[a](gone.md)\n```"), [""; 0]);
    }

    #[test]
    fn a_readme_stops_at_150_lines() {
        let full = "line\n".repeat(150);
        assert!(check(&House::of([("README.md", &full)])).is_empty());
        assert_eq!(check(&House::of([("README.md", &format!("{full}\n"))])).len(), 1);
    }
}
