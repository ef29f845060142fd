//! Names that say nothing are refused, for files, folders, modules and types.

use crate::house::House;
use crate::violation::Violation;

const RULE: &str = "names";

const SAY_NOTHING: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];

/// Checks every path, every module and every type.
pub(crate) fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, _) in house.tree.iter() {
        for part in path.split('/').filter_map(|part| part.split('.').find(|part| !part.is_empty())) {
            if snake_says_nothing(part) {
                found.push(Violation::new(path, 1, RULE, advice("file or folder", part)));
            }
        }
    }
    for source in &house.sources {
        let modules = source.modules.iter().filter_map(|(path, line)| Some((path.last()?, line)));
        for (name, line) in modules.filter(|(name, _)| snake_says_nothing(name)) {
            found.push(Violation::new(&source.path, *line, RULE, advice("module", name)));
        }
        for (name, line) in source.types.iter().filter(|(name, _)| camel_says_nothing(name)) {
            found.push(Violation::new(&source.path, *line, RULE, advice("type", name)));
        }
    }
    found
}

fn advice(kind: &str, name: &str) -> String {
    format!("rename the {kind} `{name}` after what it is")
}

fn snake_says_nothing(name: &str) -> bool {
    let last = name.rsplit(['_', '-']).next().unwrap_or(name).to_lowercase();
    SAY_NOTHING.contains(&last.as_str())
}

fn camel_says_nothing(name: &str) -> bool {
    let start = name.rfind(char::is_uppercase).unwrap_or(0);
    SAY_NOTHING.contains(&name[start..].to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&House::of([(path, text)])).len()
    }

    #[test]
    fn files_and_folders_say_what_they_are() {
        assert_eq!(count("oms-core/src/order.rs", ""), 0);
        assert_eq!(count("oms-core/src/utils.rs", ""), 1);
        assert_eq!(count("oms-core/src/outbox_helper.rs", ""), 1);
        assert_eq!(count("server/tests/common/mod.rs", ""), 1);
        assert_eq!(count("deploy/misc.yaml", ""), 1);
    }

    #[test]
    fn modules_inside_a_file_say_what_they_are() {
        assert_eq!(count("a.rs", "mod tests {}"), 0);
        assert_eq!(count("a.rs", "mod helpers {}"), 1);
    }

    #[test]
    fn types_say_what_they_are() {
        assert_eq!(count("a.rs", "struct Relay; enum Managed {} type Common2 = u8;"), 0);
        assert_eq!(count("a.rs", "struct PaymentManager;"), 1);
        assert_eq!(count("a.rs", "trait OrderHelper {} enum StockUtil {}"), 2);
        assert_eq!(count("a.rs", "type Misc = u8;"), 1);
    }
}
