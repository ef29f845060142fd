//! Makes what is missing of a topology, and compares what is there.

use crate::{
    errors::refused,
    line::Line,
    names,
    talk::{Item, Talk},
};
use futures::future::try_join_all;
use oms_core::{
    broker::{BrokerError, Topology},
    message::GroupLane,
};

/// How many questions are under way at once.
const AT_ONCE: usize = 8;

/// A queue, an exchange, and the key that joins them.
struct Binding {
    queue: String,
    exchange: String,
    key: String,
}

/// Everything that has to be there, in the order in which it is made: who finds a marker may rely on nothing behind it, but two
/// that want different numbers of lanes meet at the first.
fn wanted(line: &Line, topology: &Topology) -> (Vec<Item>, Vec<Binding>) {
    let (prefix, lanes) = (&line.settings.prefix, topology.lanes);
    let topics = names::topics(topology);
    let mut items = Vec::new();
    for topic in &topics {
        let (name, of) = (names::topic_marker(prefix, topic), format!("topic {topic}"));
        items.push(Item::Marker { name, of, lanes });
    }
    for group in topology.hears.keys() {
        let (name, of) = (names::group_marker(prefix, group), format!("group {group}"));
        items.push(Item::Marker { name, of, lanes });
    }
    let mut bindings = Vec::new();
    for (group, heard) in &topology.hears {
        for lane in 0..lanes {
            let queue = names::queue(prefix, &GroupLane::new(group, lane));
            items.push(Item::Queue { name: queue.clone(), copies: line.settings.copies });
            bindings.extend(heard.iter().map(|topic| Binding {
                queue: queue.clone(),
                exchange: names::exchange(prefix, topic),
                key: lane.to_string(),
            }));
        }
    }
    items.extend(topics.iter().map(|topic| Item::Exchange { name: names::exchange(prefix, topic) }));
    (items, bindings)
}

/// Declares a topology. First everything that is there is compared, so that a difference changes nothing.
pub(crate) async fn declare(line: &Line, topology: &Topology) -> Result<(), BrokerError> {
    if let Some(why) = names::nonsense(topology, &line.settings.prefix) {
        return Err(refused(why));
    }
    let (items, bindings) = wanted(line, topology);
    let found = in_parts(&items, |part| compare(line, part)).await?;
    differ(found.iter().filter_map(|found| found.as_ref().err()))?;
    let missing: Vec<Item> = items
        .iter()
        .zip(&found)
        .filter(|(_, found)| **found == Ok(false))
        .map(|(item, _)| item.clone())
        .collect();
    let (markers, rest): (Vec<Item>, Vec<Item>) =
        missing.into_iter().partition(|item| matches!(item, Item::Marker { .. }));
    for kind in [markers, rest] {
        // Somebody else may have made it meanwhile, with other settings.
        let made = in_parts(&kind, |part| make(line, part)).await?;
        differ(made.iter().flatten())?;
    }
    in_parts(&bindings, |part| bind(line, part)).await.map(drop)
}

/// Does the same with every part of a list at once, and gives what came of all, in their order.
async fn in_parts<'a, I, T, F>(list: &'a [I], work: impl Fn(&'a [I]) -> F) -> Result<Vec<T>, BrokerError>
where
    F: Future<Output = Result<Vec<T>, BrokerError>>,
{
    let size = list.len().div_ceil(AT_ONCE).max(1);
    Ok(try_join_all(list.chunks(size).map(work)).await?.into_iter().flatten().collect())
}

fn differ<'a>(differences: impl Iterator<Item = &'a String>) -> Result<(), BrokerError> {
    let all: Vec<&str> = differences.map(String::as_str).collect();
    if all.is_empty() {
        return Ok(());
    }
    Err(refused(format!("{}; declare as it is, or remove it there", all.join(", "))))
}

/// For each, whether it is there as it should be, or in what it differs.
async fn compare(line: &Line, items: &[Item]) -> Result<Vec<Result<bool, String>>, BrokerError> {
    let (mut talk, mut all) = (Talk::new(line), Vec::new());
    for item in items {
        if !talk.exists(item).await? {
            all.push(Ok(false));
            continue;
        }
        // It is there, so that asking for it with our settings makes nothing.
        let words = talk.make(item).await?;
        all.push(words.map_or(Ok(true), |words| Err(explain(item, &words))));
    }
    Ok(all)
}

async fn make(line: &Line, items: &[Item]) -> Result<Vec<Option<String>>, BrokerError> {
    let (mut talk, mut all) = (Talk::new(line), Vec::new());
    for item in items {
        all.push(talk.make(item).await?.map(|words| explain(item, &words)));
    }
    Ok(all)
}

async fn bind(line: &Line, bindings: &[Binding]) -> Result<Vec<()>, BrokerError> {
    let mut talk = Talk::new(line);
    for Binding { queue, exchange, key } in bindings {
        talk.bind(queue, exchange, key).await?;
    }
    Ok(Vec::new())
}

/// What a difference means.
fn explain(item: &Item, words: &str) -> String {
    if words.contains("invalid arg") {
        return format!("the server is too old, use RabbitMQ 3.10 or later: {words}");
    }
    match item {
        Item::Marker { of, lanes, .. } => match names::lanes_in(words) {
            Some(there) => format!("{of} has {there} lanes, not {lanes}"),
            None => format!("{of} is marked otherwise: {words}"),
        },
        Item::Queue { .. } | Item::Exchange { .. } => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_there_is_and_what_was_asked_for() {
        let marker =
            Item::Marker { name: "oms:topic:order".to_owned(), of: "topic order".to_owned(), lanes: 3 };
        let words = "inequivalent arg 'x-max-length' for queue 'oms:topic:order' in vhost '/': \
                     received the value '3' of type 'long' but current is the value '2' of type 'long'";
        assert_eq!(explain(&marker, words), "topic order has 2 lanes, not 3");
        let old = "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'oms:topic:order' in vhost '/' of queue type quorum";
        assert!(explain(&marker, old).contains("use RabbitMQ 3.10 or later"));
    }
}
