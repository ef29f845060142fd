//! Names of streams, subjects and durables; pure.

use oms_core::{
    broker::Topology,
    id::Name,
    message::{GroupLane, MAX_LANES},
};
use std::collections::BTreeSet;

/// What a lane's number is kept under, with the stream.
pub(crate) const LANES: &str = "oms.lanes";
/// What the topic's name is kept under, with the stream.
pub(crate) const TOPIC: &str = "oms.topic";

/// Every topic that a topology names.
pub(crate) fn topics(topology: &Topology) -> BTreeSet<Name> {
    topology.hears.values().flatten().chain(&topology.public).map(Name::clone).collect()
}

/// Names of streams and durables have no dots.
fn flat(name: &str) -> String {
    name.replace('.', "=")
}

/// The stream of a topic.
pub(crate) fn stream(prefix: &str, topic: &str) -> String {
    format!("{prefix}-{}", flat(topic))
}

/// The subject of a lane of a topic.
pub(crate) fn subject(prefix: &str, topic: &str, lane: u16) -> String {
    format!("{prefix}.{topic}.{lane}")
}

/// The durable of a group's lane, the same in every stream that the group hears.
pub(crate) fn durable(group: &str, lane: u16) -> String {
    format!("{}-{lane}", flat(group))
}

/// As [`durable`].
pub(crate) fn durable_of(lane: &GroupLane) -> String {
    durable(&lane.group, lane.lane)
}

/// Why a topology makes no sense here.
pub(crate) fn nonsense(topology: &Topology, prefix: &str) -> Option<String> {
    let lanes = topology.lanes;
    if lanes == 0 || lanes > MAX_LANES {
        return Some(format!("a topology has 1 to {MAX_LANES} lanes, not {lanes}"));
    }
    if prefix.contains('.') || !legal(prefix) {
        return Some("the prefix takes letters, digits, _ and -".to_owned());
    }
    let named = topics(topology);
    let names = named.iter().chain(topology.hears.keys());
    let bad: Vec<&str> = names.map(|name| &**name).filter(|name| !legal(name)).collect();
    (!bad.is_empty()).then(|| {
        let bad = bad.join(", ");
        format!(
            "no topic or group can be named {bad:?}: NATS takes 1 to 200 letters, digits, _, - and dots between"
        )
    })
}

fn legal(name: &str) -> bool {
    let letter = |one: u8| one.is_ascii_alphanumeric() || b"_-".contains(&one);
    name.len() <= 200 && name.split('.').all(|part| !part.is_empty() && part.bytes().all(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nats_does_not_take_are_refused_before_anything_is_asked() {
        let topology = |topic: &str| Topology {
            hears: [("payment".into(), [topic.into()].into())].into(),
            lanes: 2,
            ..Topology::default()
        };
        assert_eq!(nonsense(&topology("order.cancelled"), "shop"), None);
        for bad in ["", ".", "a.", "a..b", "a b", "a*", ">", "größe", "a=b", &"x".repeat(201)] {
            assert!(nonsense(&topology(bad), "shop").is_some(), "{bad}");
        }
        assert!(nonsense(&topology("order"), "a.b").is_some());
        assert!(nonsense(&Topology { lanes: 0, ..topology("order") }, "shop").is_some());
    }

    #[test]
    fn two_topics_never_share_a_stream() {
        assert_ne!(stream("oms", "a.b"), stream("oms", "a-b"));
        assert_eq!(subject("oms", "a.b", 3), "oms.a.b.3");
        assert_eq!(durable("a.b", 3), "a=b-3");
    }
}
