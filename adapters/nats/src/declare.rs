//! Makes what is missing of a topology, and compares what is there.

use crate::{
    connection::Connection,
    errors::{jetstream, refused, unavailable},
    names,
};
use async_nats::jetstream::ErrorCode;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use oms_core::{
    broker::{BrokerError, Topology},
    id::Name,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many questions are under way at once.
const AT_ONCE: usize = 64;

/// The configuration of every stream of this installation, by topic.
async fn found(connection: &Connection) -> Result<BTreeMap<Name, Value>, BrokerError> {
    let mut all = BTreeMap::new();
    let mut offset = 0;
    loop {
        let subject = format!("{}.>", connection.settings.prefix);
        let asked = connection.ask("STREAM.LIST", &json!({ "subject": subject, "offset": offset })).await?;
        let answer = asked.map_err(|error| jetstream(&error, "listing streams"))?;
        let streams = answer["streams"].as_array().map_or(&[][..], Vec::as_slice);
        for stream in streams {
            let config = &stream["config"];
            if let Some(topic) = config["metadata"][names::TOPIC].as_str() {
                all.insert(Name::from(topic), config.clone());
            }
        }
        offset += streams.len() as u64;
        if streams.is_empty() || offset >= answer["total"].as_u64().unwrap_or(0) {
            return Ok(all);
        }
    }
}

/// The lanes of every topic of this installation, asked now; remembered.
pub(crate) async fn look(connection: &Connection) -> Result<BTreeMap<Name, u16>, BrokerError> {
    let found = found(connection).await?;
    let lanes: BTreeMap<Name, u16> =
        found.into_iter().map(|(topic, config)| (topic, lanes(&config))).collect();
    connection.known().clone_from(&lanes);
    Ok(lanes)
}

fn lanes(config: &Value) -> u16 {
    config["metadata"][names::LANES].as_str().and_then(|lanes| lanes.parse().ok()).unwrap_or(0)
}

fn stream_config(connection: &Connection, topic: &str, lanes: u16) -> Value {
    let prefix = &connection.settings.prefix;
    json!({
        "name": names::stream(prefix, topic),
        "subjects": [format!("{prefix}.{topic}.*")],
        "retention": "interest", "storage": "file", "discard": "new",
        "num_replicas": connection.settings.copies,
        "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msg_size": -1,
        "metadata": { names::TOPIC: topic, names::LANES: lanes.to_string() },
    })
}

fn consumer_config(connection: &Connection, topic: &str, group: &str, lane: u16) -> Value {
    let durable = names::durable(group, lane);
    json!({
        "name": durable, "durable_name": durable,
        // What a group missed before it was declared, it never hears.
        "deliver_policy": "new", "ack_policy": "explicit", "replay_policy": "instant",
        "ack_wait": u64::try_from(connection.settings.lease.as_nanos()).unwrap_or(u64::MAX),
        "max_deliver": -1, "max_ack_pending": -1,
        "filter_subject": names::subject(&connection.settings.prefix, topic, lane),
    })
}

/// Everything in which one stream differs from what is wanted.
fn stream_differences(topic: &str, wanted: &Value, has: &Value) -> Vec<String> {
    let differs = |field: &&&str| wanted[**field] != has[**field];
    let fields = ["subjects", "retention", "storage", "discard", "num_replicas"];
    let mut all: Vec<String> = fields
        .iter()
        .filter(differs)
        .map(|field| format!("topic {topic} has {field} {}, not {}", has[*field], wanted[*field]))
        .collect();
    if lanes(wanted) != lanes(has) {
        all.push(format!("topic {topic} has {} lanes, not {}", lanes(has), lanes(wanted)));
    }
    all
}

/// Declares a topology; whether anything was made.
pub(crate) async fn declare(connection: &Connection, topology: &Topology) -> Result<bool, BrokerError> {
    if let Some(why) = names::nonsense(topology, &connection.settings.prefix) {
        return Err(refused(why));
    }
    let found = found(connection).await?;
    let topics = names::topics(topology);
    let mut differences = Vec::new();
    for topic in &topics {
        if let Some(has) = found.get(topic) {
            let wanted = stream_config(connection, topic, topology.lanes);
            differences.extend(stream_differences(topic, &wanted, has));
        }
    }
    for (topic, config) in found.iter().filter(|(_, config)| lanes(config) != topology.lanes) {
        for group in topology.hears.keys() {
            if has_consumer(connection, topic, &names::durable(group, 0)).await? {
                differences.push(format!(
                    "group {group} has {} lanes, not {}",
                    lanes(config),
                    topology.lanes
                ));
            }
        }
    }
    if !differences.is_empty() {
        return Err(refused(format!("{}; declare as it is, or remove it there", differences.join(", "))));
    }
    let missing = topics.iter().filter(|topic| !found.contains_key(*topic));
    let mut made = false;
    for topic in missing {
        make_stream(connection, topic, topology.lanes).await?;
        made = true;
    }
    made |= make_consumers(connection, topology).await?;
    connection.known().extend(topics.into_iter().map(|topic| (topic, topology.lanes)));
    Ok(made)
}

async fn make_stream(connection: &Connection, topic: &str, lanes: u16) -> Result<(), BrokerError> {
    let config = stream_config(connection, topic, lanes);
    let name = names::stream(&connection.settings.prefix, topic);
    let made = connection.ask(&format!("STREAM.CREATE.{name}"), &config).await?;
    made.map(drop).map_err(|error| jetstream(&error, &format!("making the stream {name}")))
}

pub(crate) async fn has_consumer(
    connection: &Connection,
    topic: &str,
    durable: &str,
) -> Result<bool, BrokerError> {
    Ok(consumer(connection, topic, durable).await?.is_some())
}

/// What the server says of one durable; `None` when there is none.
pub(crate) async fn consumer(
    connection: &Connection,
    topic: &str,
    durable: &str,
) -> Result<Option<Value>, BrokerError> {
    let stream = names::stream(&connection.settings.prefix, topic);
    match connection.ask(&format!("CONSUMER.INFO.{stream}.{durable}"), &json!({})).await? {
        Ok(info) => Ok(Some(info)),
        Err(error)
            if [ErrorCode::CONSUMER_NOT_FOUND, ErrorCode::STREAM_NOT_FOUND].contains(&error.error_code()) =>
        {
            Ok(None)
        }
        Err(error) => Err(jetstream(&error, &format!("asking for {durable} of {stream}"))),
    }
}

async fn make_consumers(connection: &Connection, topology: &Topology) -> Result<bool, BrokerError> {
    let mut asked = Vec::new();
    for (group, topics) in &topology.hears {
        for topic in topics {
            for lane in 0..topology.lanes {
                asked.push(make_consumer(connection, topic, group, lane).boxed());
            }
        }
    }
    let made: Vec<bool> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    Ok(made.contains(&true))
}

/// Makes one durable, unless it is there; one that differs is told of.
async fn make_consumer(
    connection: &Connection,
    topic: &str,
    group: &str,
    lane: u16,
) -> Result<bool, BrokerError> {
    let (stream, durable) = (names::stream(&connection.settings.prefix, topic), names::durable(group, lane));
    let wanted = consumer_config(connection, topic, group, lane);
    if let Some(info) = consumer(connection, topic, &durable).await? {
        let fields = ["ack_policy", "filter_subject", "ack_wait"];
        let differs = fields.iter().find(|field| info["config"][**field] != wanted[**field]);
        return match differs {
            None => Ok(false),
            Some(field) => Err(refused(format!(
                "lane {lane} of group {group} has {field} {} on topic {topic}, not {}; use the same options everywhere",
                info["config"][*field], wanted[*field]
            ))),
        };
    }
    let filter = names::subject(&connection.settings.prefix, topic, lane);
    let subject = format!("CONSUMER.CREATE.{stream}.{durable}.{filter}");
    let question = json!({ "stream_name": stream, "config": wanted, "action": "create" });
    match connection.ask(&subject, &question).await? {
        Ok(_) => Ok(true),
        // Another process made it meanwhile.
        Err(error) if error.error_code() == ErrorCode::CONSUMER_ALREADY_EXISTS => Ok(true),
        Err(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Err(unavailable(format!("the stream {stream} went away meanwhile")))
        }
        Err(error) => Err(jetstream(&error, &format!("making {durable} of {stream}"))),
    }
}
