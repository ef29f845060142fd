//! Declaring: creates what is missing, compares what is there, and lets each group begin where it is declared.

use crate::{
    ask::{self, Place},
    commits::add,
    connection::Connection,
    ends::Topics,
    errors::{refused, sort, sort_code, unavailable},
    group::Group,
    note::{Note, Standing, origin},
    retire::Retiring,
    topology::{self, Found, Wanted},
};
use oms_core::{
    broker::{BrokerError, Topology},
    id::Name,
};
use rdkafka::{
    TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfig,
    consumer::{CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode as Code},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

type Admin = Retiring<AdminClient<DefaultClientContext>>;

/// Declares a topology. Blocks; `runtime` drives what the client only offers as futures.
pub(crate) fn declare(
    connection: &Connection,
    wanted: &Topology,
    runtime: &Handle,
) -> Result<(), BrokerError> {
    let settings = &connection.settings;
    if let Some(why) = topology::nonsense(wanted, &settings.prefix) {
        return Err(refused(why));
    }
    let mut found = connection.look(settings.timeout)?;
    let named = topology::topics(wanted);
    let admin = AdminClient::from_config(&settings.admin()).map_err(|error| sort(&error, "declaring"))?;
    let admin = Retiring::new(admin);
    runtime.block_on(read_settings(connection, &admin, &named, &mut found))?;
    let mut groups = Vec::new();
    let mut heard = BTreeMap::new();
    for name in wanted.hears.keys() {
        let group = connection.group(name)?;
        heard.insert(Name::clone(name), already_heard(connection, &group)?);
        groups.push(group);
    }
    let shape = Wanted { lanes: wanted.lanes, copies: settings.copies, max_bytes: settings.batch_bytes() };
    let differs = topology::differences(wanted, &shape, &found, &heard);
    if !differs.is_empty() {
        let lanes = wanted.lanes;
        let differs = differs.join(", ");
        return Err(refused(format!(
            "{differs}; declare what is there, or make it {lanes} lanes in a planned change"
        )));
    }
    let missing: BTreeSet<Name> = named.into_iter().filter(|name| !found.contains_key(name)).collect();
    if !missing.is_empty() {
        runtime.block_on(create(connection, &admin, &missing, wanted.lanes))?;
        appear(connection, &missing, wanted.lanes)?;
    }
    let topics = connection.topics();
    for group in &groups {
        let hears = wanted.hears.get(&group.name).into_iter().flatten();
        let places = places(&topics, hears, wanted.lanes);
        begin(connection, group, &places, |name| missing.contains(name), &topics)?;
    }
    Ok(())
}

fn places<'a>(topics: &Topics, names: impl Iterator<Item = &'a Name>, lanes: u16) -> Vec<Place> {
    let known = names.filter_map(|name| topics.get(name));
    known.flat_map(|topic| (0..lanes).map(|lane| (Arc::clone(topic), lane))).collect()
}

/// The topics that a group hears here already.
fn already_heard(connection: &Connection, group: &Group) -> Result<BTreeSet<Name>, BrokerError> {
    let topics = connection.topics();
    let places: Vec<Place> = topics.values().map(|topic| (Arc::clone(topic), 0)).collect();
    let standings = ask::committed(&group.client, &places, connection.settings.timeout)?;
    let heard = topics.keys().zip(standings).filter(|(_, standing)| standing.is_some());
    Ok(heard.map(|(name, _)| Name::clone(name)).collect())
}

fn options(connection: &Connection) -> AdminOptions {
    let timeout = Some(connection.settings.timeout);
    AdminOptions::new().request_timeout(timeout).operation_timeout(timeout)
}

/// Asks for the settings of the topics that are named and there.
async fn read_settings(
    connection: &Connection,
    admin: &Admin,
    named: &BTreeSet<Name>,
    found: &mut Found,
) -> Result<(), BrokerError> {
    let doing = "reading the settings of topics";
    let there: Vec<&Name> = named.iter().filter(|name| found.contains_key(*name)).collect();
    let prefix = &connection.settings.prefix;
    let wires: Vec<String> = there.iter().map(|name| format!("{prefix}{name}")).collect();
    let (false, Some(client)) = (wires.is_empty(), admin.get()) else { return Ok(()) };
    let resources: Vec<ResourceSpecifier<'_>> =
        wires.iter().map(|wire| ResourceSpecifier::Topic(wire)).collect();
    let described = client.describe_configs(&resources, &options(connection)).await;
    for resource in described.map_err(|error| sort(&error, doing))? {
        let resource = resource.map_err(|code| sort_code(code, doing))?;
        let rdkafka::admin::OwnedResourceSpecifier::Topic(wire) = &resource.specifier else { continue };
        let Some(shape) = wire.strip_prefix(prefix.as_str()).and_then(|name| found.get_mut(name)) else {
            continue;
        };
        let value = |name| resource.get(name).and_then(|entry| entry.value.clone());
        shape.cleanup = value("cleanup.policy");
        shape.max_bytes = value("max.message.bytes").and_then(|bytes| bytes.parse().ok());
    }
    Ok(())
}

/// Creates topics: all are tried without effect first, so that none is made when one cannot be.
async fn create(
    connection: &Connection,
    admin: &Admin,
    missing: &BTreeSet<Name>,
    lanes: u16,
) -> Result<(), BrokerError> {
    let settings = &connection.settings;
    let wires: Vec<String> = missing.iter().map(|name| format!("{}{name}", settings.prefix)).collect();
    let copies = settings.copies.map_or(-1, i32::from);
    let bytes = settings.batch_bytes().to_string();
    let retention = settings.retention.map(|time| time.as_millis().to_string());
    let in_sync = settings.copies.map(|copies| (copies / 2 + 1).to_string());
    let topic = |wire| {
        let mut topic = NewTopic::new(wire, i32::from(lanes), TopicReplication::Fixed(copies))
            .set("cleanup.policy", "delete")
            .set("max.message.bytes", &bytes);
        if let Some(retention) = &retention {
            topic = topic.set("retention.ms", retention);
        }
        match &in_sync {
            Some(in_sync) => topic.set("min.insync.replicas", in_sync),
            None => topic,
        }
    };
    let topics: Vec<NewTopic<'_>> = wires.iter().map(|wire| topic(wire.as_str())).collect();
    let Some(client) = admin.get() else { return Ok(()) };
    for validate_only in [true, false] {
        let options = options(connection).validate_only(validate_only);
        let made = client.create_topics(&topics, &options).await;
        for one in made.map_err(|error: KafkaError| sort(&error, "creating topics"))? {
            match one {
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(sort_code(code, &format!("creating topic {topic}"))),
            }
        }
    }
    Ok(())
}

/// Waits until the cluster shows what was created; another process may have made it another way meanwhile.
fn appear(connection: &Connection, missing: &BTreeSet<Name>, lanes: u16) -> Result<(), BrokerError> {
    let until = Instant::now() + connection.settings.timeout;
    loop {
        let found = connection.look(connection.settings.timeout)?;
        let here: Vec<usize> =
            missing.iter().filter_map(|name| found.get(name)).map(|shape| shape.lanes).collect();
        if let Some(other) = here.iter().find(|found| **found != 0 && **found != usize::from(lanes)) {
            return Err(refused(format!(
                "a topic was made with {other} lanes, not {lanes}, by somebody else"
            )));
        }
        if here.len() == missing.len() && here.iter().all(|found| *found == usize::from(lanes)) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(unavailable("topics were created, and have not appeared in time"));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Commits where a group begins, in all partitions where it never was: at the end of what is there.
///
/// The ends are asked for before the offsets are, so that nothing is passed that was published after another
/// process has declared the same.
fn begin(
    connection: &Connection,
    group: &Group,
    places: &[Place],
    is_new: impl Fn(&Name) -> bool,
    topics: &Topics,
) -> Result<(), BrokerError> {
    let timeout = connection.settings.timeout;
    let fresh: BTreeSet<&str> =
        topics.iter().filter(|(name, _)| is_new(name)).map(|(_, topic)| topic.wire.as_str()).collect();
    // What stands at a topic that was just made is of one that is gone, and was committed too late.
    let stands = |((topic, _), standing): (&Place, &Option<Standing>)| {
        standing.is_some() && !fresh.contains(topic.wire.as_str())
    };
    let standings = ask::committed(&group.client, places, timeout)?;
    if places.iter().zip(&standings).all(stands) {
        return Ok(());
    }
    let old: Vec<Place> =
        places.iter().filter(|(topic, _)| !fresh.contains(topic.wire.as_str())).cloned().collect();
    let ends = ask::ends(&group.client, &old, timeout)?;
    let ends: BTreeMap<(&str, u16), i64> =
        old.iter().map(|(topic, lane)| (topic.wire.as_str(), *lane)).zip(ends).collect();
    let standings = ask::committed(&group.client, places, timeout)?;
    let mut list = TopicPartitionList::new();
    let note = Note { origin: origin(), ..Note::default() };
    for (place, standing) in places.iter().zip(&standings) {
        if !stands((place, standing)) {
            let (topic, lane) = place;
            let end = ends.get(&(topic.wire.as_str(), *lane)).copied().unwrap_or(0);
            add(&mut list, &topic.wire, *lane, end, &note).map_err(|error| sort(&error, "declaring"))?;
        }
    }
    if list.count() == 0 {
        return Ok(());
    }
    let doing = format!("declaring group {}", group.name);
    group.client.commit(&list, CommitMode::Sync).map_err(|error| sort(&error, &doing))
}
