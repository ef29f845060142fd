//! What the code of `oms-core` may not so much as mention: runtimes, clocks, randomness, clients, I/O.

use proc_macro2::{TokenStream, TokenTree};

use super::crates;
use crate::house::{House, Mention, MentionKind, Source, each_level};
use crate::violation::Violation;

const RULE: &str = "core words";

/// The ends or middles of paths that core may not contain, with what to do instead.
const WORDS: &[(&[&str], &str)] = &[
    (&["SystemTime", "now"], "take the time from Clock"),
    (&["Instant", "now"], "take the time from Clock"),
    (&["OffsetDateTime", "now_utc"], "take the time from Clock"),
    (&["OffsetDateTime", "now_local"], "take the time from Clock"),
    (&["UtcDateTime", "now"], "take the time from Clock"),
    (&["Uuid"], "take the id from IdSource"),
    (&["HashMap"], "use BTreeMap: the order of a default-hasher map differs from run to run"),
    (&["HashSet"], "use BTreeSet: the order of a default-hasher set differs from run to run"),
    (&["RandomState"], "use a BTreeMap: a random hasher differs from run to run"),
    (&["thread", "spawn"], "return a future: the caller runs it"),
    (&["thread", "sleep"], "wait with Clock"),
    (&["std", "fs"], "do I/O behind a port"),
    (&["std", "net"], "do I/O behind a port"),
    (&["std", "process"], "do I/O behind a port"),
];

/// The one place that may name a hash map: its hasher is fixed there, and nobody walks over one where the order would show.
const TABLE: &str = "oms-core/src/id/table.rs";

/// Checks every path that `oms-core/src` mentions, its unit tests included.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in house.sources.iter().filter(|source| source.path.starts_with("oms-core/src/")) {
        for mention in &source.mentions {
            let fixed = source.path == TABLE && mention.segments.iter().any(|segment| segment == "HashMap");
            if let Some(instead) = forbidden(mention).filter(|_| !fixed) {
                let advice = format!("remove `{}` from core: {instead}", mention.segments.join("::"));
                found.push(Violation::new(&source.path, mention.line, RULE, advice));
            }
        }
        for line in unbiased_selects(source) {
            let advice = "begin this `select!` with `biased;`: the branch taken must not be random";
            found.push(Violation::new(&source.path, line, RULE, advice));
        }
    }
    found
}

fn forbidden(mention: &Mention) -> Option<&'static str> {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    let first = segments.first()?;
    // A single name in an expression is a local variable, not a crate.
    if segments.len() > 1 || mention.kind != MentionKind::Path {
        let named = crates::NEVER_IN_CORE.iter().find(|(name, _)| name.replace('-', "_") == *first);
        if let Some((_, why)) = named {
            return Some(why);
        }
    }
    let holds = |word: &[&str]| segments.windows(word.len()).any(|window| window == word);
    WORDS.iter().find(|(word, _)| holds(word)).map(|(_, instead)| *instead)
}

fn unbiased_selects(source: &Source) -> Vec<usize> {
    let mut lines = Vec::new();
    each_level(&source.tokens, &mut |level| {
        for window in level.windows(3) {
            if let [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(body)] = window
                && name == "select"
                && mark.as_char() == '!'
                && !is_biased(&body.stream())
            {
                lines.push(name.span().start().line);
            }
        }
    });
    lines
}

fn is_biased(body: &TokenStream) -> bool {
    matches!(body.clone().into_iter().next(), Some(TokenTree::Ident(first)) if first == "biased")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&House::of([("oms-core/src/worker.rs", text)])).len()
    }

    #[test]
    fn comments_strings_and_plain_code_may_say_what_they_like() {
        assert_eq!(
            count("//! No tokio here.\n/// Not HashMap.\nfn a() { let tokio = \"rand::random\"; b(tokio); }"),
            0
        );
    }

    #[test]
    fn runtimes_and_clients_are_not_mentioned() {
        for word in ["tokio", "async_std", "rdkafka", "lapin", "async_nats", "sqlx", "rusqlite", "rand"] {
            assert_eq!(count(&format!("use {word}::a;")), 1, "{word} imported");
            assert_eq!(count(&format!("fn a() {{ {word}::a(); }}")), 1, "{word} called");
            assert_eq!(count(&format!("fn a() {{ assert!({word}::a()); }}")), 1, "{word} in a macro");
        }
    }

    #[test]
    fn clocks_ids_and_threads_are_not_mentioned() {
        for path in
            ["std::time::SystemTime::now", "Instant::now", "Uuid::new_v4", "thread::spawn", "thread::sleep"]
        {
            assert_eq!(count(&format!("fn a() {{ {path}(); }}")), 1, "{path}");
        }
    }

    #[test]
    fn maps_with_a_random_order_are_not_mentioned() {
        assert_eq!(count("use std::collections::{BTreeMap, HashMap};"), 1);
        assert_eq!(count("struct A { b: std::collections::HashSet<u8> }"), 1);
    }

    #[test]
    fn the_hash_map_with_a_fixed_hasher_is_named_in_one_file() {
        let text = "pub type Table<K, V> = std::collections::HashMap<K, V, Fixed>;";
        let found = |path| check(&House::of([(path, text)])).len();
        assert_eq!((found("oms-core/src/id/table.rs"), found("oms-core/src/worker/table.rs")), (0, 1));
    }

    #[test]
    fn a_select_begins_with_biased() {
        assert_eq!(count("async fn a() { futures::select! { biased; _ = b() => {} } }"), 0);
        assert_eq!(count("async fn a() { futures::select! { _ = b() => {} } }"), 1);
        assert_eq!(count("async fn a() { futures::select_biased! { _ = b() => {} } }"), 0);
    }

    #[test]
    fn other_packages_may_use_a_runtime() {
        assert!(check(&House::of([("server/src/main.rs", "use tokio::spawn;")])).is_empty());
    }
}
