//! A walk over raw tokens, for what macros hide from the syntax tree.

use proc_macro2::{TokenStream, TokenTree};

/// A path found among tokens: its segments, and the line it starts on.
pub(crate) type TokenPath = (Vec<String>, usize);

/// Calls `visit` with the tokens of `stream`, then with those of every group inside it.
pub(crate) fn each_level(stream: &TokenStream, visit: &mut dyn FnMut(&[TokenTree])) {
    let level: Vec<TokenTree> = stream.clone().into_iter().collect();
    visit(&level);
    for token in &level {
        if let TokenTree::Group(group) = token {
            each_level(&group.stream(), visit);
        }
    }
}

/// Finds the paths of two or more segments, such as `crate::store::Store`, at any depth.
pub(crate) fn paths(stream: &TokenStream) -> Vec<TokenPath> {
    let mut found = Vec::new();
    each_level(stream, &mut |level| {
        let mut at = 0;
        while at < level.len() {
            let segments = path_at(level, at);
            if segments.len() > 1 {
                found.push((segments.clone(), level[at].span().start().line));
            }
            at += if segments.is_empty() { 1 } else { segments.len() * 3 - 2 };
        }
    });
    found
}

fn path_at(level: &[TokenTree], mut at: usize) -> Vec<String> {
    let mut segments = Vec::new();
    while let Some(TokenTree::Ident(ident)) = level.get(at) {
        segments.push(ident.to_string());
        if !(is_colon(level.get(at + 1)) && is_colon(level.get(at + 2))) {
            break;
        }
        at += 3;
    }
    segments
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths(&text.parse().unwrap()).into_iter().map(|(segments, _)| segments.join("::")).collect()
    }

    #[test]
    fn paths_inside_nested_groups_are_found() {
        assert_eq!(found("assert!(matches!(x, crate::store::Fault { .. }))"), ["crate::store::Fault"]);
    }

    #[test]
    fn single_names_and_plain_colons_are_no_paths() {
        assert_eq!(found("price: Money, order"), Vec::<String>::new());
    }

    #[test]
    fn a_path_before_generics_is_found() {
        assert_eq!(found("std::mem::size_of::<Event>()"), ["std::mem::size_of"]);
    }
}
