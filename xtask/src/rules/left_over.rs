//! What is left lying about: tests put to sleep, code to come, notes without an issue, paths of one machine.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::house::{House, Source, each_level};
use crate::violation::Violation;

const RULE: &str = "left over";

/// The note that needs an issue number. It is put together here so that this file is not its own violation.
const NOTE: &str = concat!("TO", "DO");

/// The folders of one machine, put together for the same reason.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/bash", "_jobs")];

/// Checks every file, and the tokens of every Rust file.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in house.tree.iter() {
        for (index, line) in text.lines().enumerate() {
            for advice in in_line(path, line) {
                found.push(Violation::new(path, index + 1, RULE, advice));
            }
        }
    }
    for source in &house.sources {
        for (line, advice) in in_tokens(source) {
            found.push(Violation::new(&source.path, line, RULE, advice));
        }
    }
    found
}

fn in_line(path: &str, line: &str) -> Vec<String> {
    let mut advice = Vec::new();
    if words(line).any(|word| word == NOTE) && !has_issue(line) {
        advice.push(format!("name the issue, as in `{NOTE}(#12)`, or do it now"));
    }
    for machine in MACHINE_PATHS.iter().filter(|machine| starts_a_path(line, machine)) {
        advice.push(format!("write a path from the root of the repository instead of `{machine}`"));
    }
    let text = line.trim_start();
    let fence = text
        .strip_prefix("///")
        .or_else(|| text.strip_prefix("//!"))
        .and_then(|doc| doc.trim().strip_prefix("```"));
    let ignored = fence.is_some_and(|language| language.split([',', ' ']).any(|word| word == "ignore"));
    if path.ends_with(".rs") && ignored {
        advice.push("let the example run, or make it no_run with the reason".to_owned());
    }
    advice
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

fn has_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|after| after.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// Says whether `start` stands in `line` where a path begins, and not in the middle of an address.
fn starts_a_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-~/}".contains(before))
    })
}

fn in_tokens(source: &Source) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for pair in level.windows(2) {
            let advice = match pair {
                [TokenTree::Ident(name), TokenTree::Punct(mark)] if mark.as_char() == '!' => {
                    unwritten(&name.to_string())
                }
                [TokenTree::Punct(mark), TokenTree::Group(group)]
                    if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
                {
                    puts_to_sleep(&group.stream()).then_some("mend the test or delete it: none is ignored")
                }
                _ => None,
            };
            found.extend(advice.map(|advice| (pair[0].span().start().line, advice)));
        }
    });
    found
}

fn unwritten(name: &str) -> Option<&'static str> {
    ["todo", "unimplemented"]
        .contains(&name)
        .then_some("write the code, or return an error that says what to do")
}

/// Says whether an attribute is `ignore`, also behind a `cfg_attr`.
fn puts_to_sleep(attribute: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg_attr" => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.iter().skip(1).any(|token| matches!(token, TokenTree::Ident(name) if name == "ignore"))
        }
        [TokenTree::Ident(name), ..] => name == "ignore",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&House::of([(path, text)])).len()
    }

    #[test]
    fn no_test_is_put_to_sleep() {
        assert_eq!(count("a.rs", "#[test]\nfn a() {}\n#[serde(skip)]\nstruct B;"), 0);
        assert_eq!(count("a.rs", "#[test]\n#[ignore]\nfn a() {}"), 1);
        assert_eq!(count("a.rs", "#[ignore = \"slow\"]\nfn a() {}"), 1);
        assert_eq!(count("a.rs", "#[cfg_attr(windows, ignore)]\nfn a() {}"), 1);
        assert_eq!(count("a.rs", "proptest! { #[test]\n#[ignore]\nfn a() {} }"), 1);
    }

    #[test]
    fn no_example_is_put_to_sleep() {
        assert_eq!(count("a.rs", "/// ```no_run\n/// a();\n/// ```\nfn a() {}"), 0);
        assert_eq!(count("a.rs", "/// ```ignore\n/// a();\n/// ```\nfn a() {}"), 1);
        assert_eq!(count("a.rs", "//! ```rust,ignore\n//! a();\n//! ```"), 1);
    }

    #[test]
    fn no_code_is_left_to_be_written() {
        assert_eq!(count("a.rs", "fn a() { todo() }"), 0);
        assert_eq!(count("a.rs", "fn a() { todo!() }"), 1);
        assert_eq!(count("a.rs", "fn a() { b(|| unimplemented!(\"later\")) }"), 1);
    }

    #[test]
    fn a_note_names_its_issue() {
        assert_eq!(count("a.rs", &format!("// {NOTE}(#12): Compare the hashes.")), 0);
        assert_eq!(count("a.rs", &format!("// {NOTE}: Compare the hashes.")), 1);
        assert_eq!(count("docs/page.md", &format!("{NOTE} write this # soon")), 1);
        assert_eq!(count("docs/page.md", &format!("MASTO{NOTE}N")), 0);
    }

    #[test]
    fn no_path_of_one_machine_is_written_down() {
        for machine in MACHINE_PATHS {
            assert_eq!(count("docs/page.md", &format!("see `{machine}main`")), 1, "{machine}");
            assert_eq!(count("docs/page.md", &format!("https://example.com{machine}main")), 0, "{machine}");
        }
    }
}
