//! Names of exchanges, queues and markers; pure.

use oms_core::{
    broker::Topology,
    id::Name,
    message::{GroupLane, MAX_LANES},
};
use std::collections::BTreeSet;

/// Every topic that a topology names.
pub(crate) fn topics(topology: &Topology) -> BTreeSet<Name> {
    topology.hears.values().flatten().chain(&topology.public).map(Name::clone).collect()
}

/// The exchange of a topic. A prefix has no dot, so that two installations never share a name.
pub(crate) fn exchange(prefix: &str, topic: &str) -> String {
    format!("{prefix}.{topic}")
}

/// The queue of a group's lane.
pub(crate) fn queue(prefix: &str, lane: &GroupLane) -> String {
    format!("{prefix}.{}.{}", lane.group, lane.lane)
}

/// The marker of a topic: an empty queue whose greatest length is the number of lanes, which nothing else there can say.
pub(crate) fn topic_marker(prefix: &str, topic: &str) -> String {
    format!("{prefix}:topic:{topic}")
}

/// As [`topic_marker`], of a group.
pub(crate) fn group_marker(prefix: &str, group: &str) -> String {
    format!("{prefix}:group:{group}")
}

/// The number of lanes that a marker holds, from the server's words on one that was asked for with another.
pub(crate) fn lanes_in(refusal: &str) -> Option<u16> {
    let (_, rest) = refusal.split_once("'x-max-length'")?;
    let (_, current) = rest.split_once("current is")?;
    current.split('\'').nth(1)?.parse().ok()
}

/// Why a topology makes no sense here.
pub(crate) fn nonsense(topology: &Topology, prefix: &str) -> Option<String> {
    let lanes = topology.lanes;
    if lanes == 0 || lanes > MAX_LANES {
        return Some(format!("a topology has 1 to {MAX_LANES} lanes, not {lanes}"));
    }
    let letters = |one: u8| one.is_ascii_alphanumeric() || b"_-".contains(&one);
    if prefix.is_empty() || prefix.len() > 40 || !prefix.bytes().all(letters) || prefix == "amq" {
        return Some("the prefix takes 1 to 40 letters, digits, _ and -, and is not amq".to_owned());
    }
    let named = topics(topology);
    let names = named.iter().chain(topology.hears.keys());
    let bad: Vec<&str> = names.map(|name| &**name).filter(|name| !legal(name)).collect();
    (!bad.is_empty()).then(|| {
        format!(
            "no topic or group can be named {:?}: RabbitMQ takes 1 to 200 bytes here, and no control characters",
            bad.join(", ")
        )
    })
}

fn legal(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rabbitmq_does_not_take_are_refused_before_anything_is_asked() {
        let topology = |topic: &str| Topology {
            hears: [("payment".into(), [topic.into()].into())].into(),
            lanes: 2,
            ..Topology::default()
        };
        assert_eq!(nonsense(&topology("order.größe"), "shop"), None);
        for bad in ["", "a\nb", &"x".repeat(201)] {
            assert!(nonsense(&topology(bad), "shop").is_some(), "{bad}");
        }
        for bad in ["", "a.b", "a:b", "amq"] {
            assert!(nonsense(&topology("order"), bad).is_some(), "{bad}");
        }
        assert!(nonsense(&Topology { lanes: 0, ..topology("order") }, "shop").is_some());
    }

    #[test]
    fn no_two_things_share_a_name() {
        let all = [
            queue("oms", &GroupLane::new("a", 1)),
            queue("oms", &GroupLane::new("a.1", 1)),
            queue("oms-a", &GroupLane::new("a", 1)),
            topic_marker("oms", "a.1"),
            group_marker("oms", "a.1"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    }

    #[test]
    fn the_servers_words_tell_how_many_lanes_there_are() {
        let said = "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'oms:topic:order' in vhost '/': \
                    received the value '3' of type 'long' but current is the value '2' of type 'long'";
        assert_eq!(lanes_in(said), Some(2));
        assert_eq!(lanes_in("PRECONDITION_FAILED - inequivalent arg 'durable'"), None);
    }
}
