//! Names and differences: what a topology asks for, and what a cluster has; pure.

use oms_core::{broker::Topology, id::Name, message::MAX_LANES};
use std::collections::{BTreeMap, BTreeSet};

/// What is there: topics by the name senders use, each with its partitions and what else is promised.
pub(crate) type Found = BTreeMap<Name, Shape>;

/// What a topic is like, as far as anybody has to care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) lanes: usize,
    pub(crate) copies: usize,
    /// The setting `cleanup.policy`, where it was asked for.
    pub(crate) cleanup: Option<String>,
    /// The setting `max.message.bytes`, where it was asked for.
    pub(crate) max_bytes: Option<usize>,
}

/// What topics must be like.
pub(crate) struct Wanted {
    pub(crate) lanes: u16,
    pub(crate) copies: Option<u16>,
    pub(crate) max_bytes: usize,
}

/// Every topic that a topology names.
pub(crate) fn topics(topology: &Topology) -> BTreeSet<Name> {
    topology.hears.values().flatten().chain(&topology.public).map(Name::clone).collect()
}

/// Why a topology makes no sense anywhere.
pub(crate) fn nonsense(topology: &Topology, prefix: &str) -> Option<String> {
    let lanes = topology.lanes;
    if lanes == 0 || lanes > MAX_LANES {
        return Some(format!("a topology has 1 to {MAX_LANES} lanes, not {lanes}"));
    }
    let named = topics(topology);
    let bad: Vec<&str> = named.iter().map(|name| &**name).filter(|name| !legal(prefix, name)).collect();
    let empty = topology.hears.keys().any(|group| group.is_empty());
    if !bad.is_empty() {
        let bad = bad.join(", ");
        return Some(format!(
            "no topic can be named {bad}: Kafka takes letters, digits, dots, _ and -, at most 249 with the prefix"
        ));
    }
    empty.then(|| "a group needs a name".to_owned())
}

fn legal(prefix: &str, name: &str) -> bool {
    let letters = |text: &str| text.bytes().all(|one| one.is_ascii_alphanumeric() || b"._-".contains(&one));
    let whole = prefix.len() + name.len();
    let dots = prefix.is_empty() && (name == "." || name == "..");
    !name.is_empty() && whole <= 249 && !dots && letters(prefix) && letters(name)
}

/// Everything in which the cluster differs from what is wanted; empty when nothing does.
///
/// `heard` is what each group hears already.
pub(crate) fn differences(
    topology: &Topology,
    wanted: &Wanted,
    found: &Found,
    heard: &BTreeMap<Name, BTreeSet<Name>>,
) -> Vec<String> {
    let lanes = usize::from(wanted.lanes);
    let mut all = Vec::new();
    for (group, topics) in heard {
        let other = topics.iter().filter_map(|topic| found.get(topic)).find(|shape| shape.lanes != lanes);
        if let Some(shape) = other {
            all.push(format!("group {group} has {} lanes, not {lanes}", shape.lanes));
        }
    }
    for topic in topics(topology) {
        let Some(shape) = found.get(&topic) else { continue };
        if shape.lanes != lanes {
            all.push(format!("topic {topic} has {} lanes, not {lanes}", shape.lanes));
        }
        if let Some(copies) = wanted.copies.filter(|copies| shape.copies < usize::from(*copies)) {
            all.push(format!("topic {topic} has {} copies, not {copies}", shape.copies));
        }
        if let Some(cleanup) = shape.cleanup.as_deref().filter(|cleanup| cleanup.contains("compact")) {
            all.push(format!("topic {topic} has cleanup.policy={cleanup}, which forgets packs; set delete"));
        }
        if let Some(bytes) = shape.max_bytes.filter(|bytes| *bytes < wanted.max_bytes) {
            all.push(format!("topic {topic} has max.message.bytes={bytes}, not {}", wanted.max_bytes));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let hears = [("payment".into(), ["order".into()].into())].into();
        Topology { hears, lanes: 2, ..Topology::default() }
    }

    #[test]
    fn every_difference_is_listed_and_what_is_missing_is_none() {
        let wanted = Wanted { lanes: 2, copies: Some(3), max_bytes: 1_000 };
        let none = differences(&topology(), &wanted, &Found::new(), &BTreeMap::new());
        assert!(none.is_empty());
        let shape = Shape { lanes: 3, copies: 1, cleanup: Some("compact".to_owned()), max_bytes: Some(10) };
        let found = [("order".into(), shape)].into();
        let heard = [("payment".into(), ["order".into()].into())].into();
        let all = differences(&topology(), &wanted, &found, &heard).join("; ");
        for part in
            ["group payment has 3", "order has 3", "1 copies, not 3", "cleanup.policy", "max.message.bytes"]
        {
            assert!(all.contains(part), "{part} is not in {all}");
        }
    }

    #[test]
    fn names_that_kafka_does_not_take_are_refused_before_anything_is_asked() {
        assert_eq!(nonsense(&topology(), "shop-"), None);
        let long = "x".repeat(249);
        for bad in ["ord er", "größe", "", "..", "a/b", &format!("{long}x")] {
            let hears = [("payment".into(), [bad.into()].into())].into();
            let topology = Topology { hears, ..topology() };
            assert!(nonsense(&topology, "").is_some(), "{bad}");
        }
        let fits = Topology { public: [long.as_str().into()].into(), ..topology() };
        assert_eq!(nonsense(&fits, ""), None);
        assert!(nonsense(&fits, "p").is_some());
        assert!(nonsense(&Topology { lanes: 0, ..topology() }, "").is_some());
    }
}
