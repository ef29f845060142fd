//! `oms topology`: what every process declares at the broker, compared with what is there, and created.

use super::{
    connect::{connect, refused, whole},
    output::print,
    site::Site,
};
use crate::{
    args::{BrokerUrl, Topics, TopologyCommand},
    exit::Failure,
    show::table,
    world::World,
};
use futures::future::try_join_all;
use oms_core::{
    broker::{Broker, BrokerError, PerService, Topology},
    id::Name,
    message::GroupLane,
    worker::Options,
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long what was created may take until it can be asked about, and how often it is asked.
const SETTLE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(200);

/// How a group stands at the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Missing,
    There,
    FewerLanes,
    MoreLanes,
}

impl Standing {
    fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::There => "there",
            Self::FewerLanes => "differs: it has fewer lanes",
            Self::MoreLanes => "differs: it has more lanes",
        }
    }

    fn differs(self) -> bool {
        matches!(self, Self::FewerLanes | Self::MoreLanes)
    }
}

#[derive(Serialize)]
struct Answer {
    broker: String,
    lanes: u16,
    topics: BTreeSet<Name>,
    groups: Vec<Group>,
    /// Whether this run declared it.
    applied: bool,
}

#[derive(Serialize)]
struct Group {
    group: Name,
    hears: BTreeSet<Name>,
    standing: Standing,
}

pub(super) async fn run(site: &Site, json: bool, command: &TopologyCommand) -> Result<(), Failure> {
    let (asked, applies) = match command {
        TopologyCommand::Plan { lanes } => (*lanes, false),
        TopologyCommand::Apply { lanes } => (*lanes, true),
    };
    let url = site.wire.url();
    let broker = connect(&site.wire).await?;
    let topology = topology(site, asked).await?;
    if applies {
        broker.declare(&topology).await.map_err(|error| refused(&url, error))?;
    }
    let shown = match site.wire.topics() {
        Topics::PerType => topology,
        Topics::PerService => PerService::topology(&topology),
    };
    let groups = standings(&broker, &shown, applies).await.map_err(|error| refused(&url, error))?;
    let topics = shown.hears.into_values().flatten().chain(shown.public).collect();
    let answer = Answer { broker: url.to_string(), lanes: shown.lanes, topics, groups, applied: applies };
    print(json, &answer, || text(&answer))?;
    verdict(&url, &answer)
}

/// What differs would be refused, and nothing is ever changed silently.
fn verdict(url: &BrokerUrl, answer: &Answer) -> Result<(), Failure> {
    let differs: Vec<&str> =
        answer.groups.iter().filter(|one| one.standing.differs()).map(|one| &*one.group).collect();
    if differs.is_empty() {
        return Ok(());
    }
    let text = format!(
        "groups with another number of lanes: {}; name their number with --lanes, or delete them once they are drained",
        differs.join(", ")
    );
    Err(Failure::input(text).named(url))
}

/// What is declared; with the lanes that the database was begun with, unless others are asked for.
async fn topology(site: &Site, lanes: Option<u16>) -> Result<Topology, Failure> {
    let world = World::read(site.db()).map_err(Failure::input)?.unwrap_or_default();
    let options = world.options();
    whole(Options { lanes: lanes.unwrap_or(options.lanes), ..options }).await
}

/// How all groups stand. What was only just created may take a moment until a broker of several parts knows it everywhere.
async fn standings(
    broker: &Arc<dyn Broker>,
    topology: &Topology,
    created: bool,
) -> Result<Vec<Group>, BrokerError> {
    let until = Instant::now() + if created { SETTLE } else { Duration::ZERO };
    loop {
        let each = topology.hears.iter().map(|(group, hears)| standing(broker, group, hears, topology.lanes));
        match try_join_all(each).await {
            Err(BrokerError::Unavailable { .. }) if Instant::now() < until => tokio::time::sleep(LOOK).await,
            found => return found,
        }
    }
}

/// How a group stands, as far as a broker tells: it knows its first and its last lane, and none behind it.
async fn standing(
    broker: &Arc<dyn Broker>,
    group: &Name,
    hears: &BTreeSet<Name>,
    lanes: u16,
) -> Result<Group, BrokerError> {
    let has = async |lane: u16| match broker.lag(&GroupLane::new(group, lane)).await {
        Ok(_) => Ok(true),
        Err(BrokerError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    let standing = match (has(0).await?, has(lanes - 1).await?, has(lanes).await?) {
        (false, _, _) => Standing::Missing,
        (true, false, _) => Standing::FewerLanes,
        (true, true, true) => Standing::MoreLanes,
        (true, true, false) => Standing::There,
    };
    Ok(Group { group: Name::clone(group), hears: hears.clone(), standing })
}

fn text(answer: &Answer) -> String {
    let cells = |one: &Group| {
        let hears: Vec<&str> = one.hears.iter().map(|topic| &**topic).collect();
        [one.group.to_string(), hears.join(", "), one.standing.words().to_owned()]
    };
    let groups = table(&["group", "hears", "at the broker"], answer.groups.iter().map(cells));
    let missing = answer.groups.iter().filter(|one| one.standing == Standing::Missing).count();
    let (broker, lanes, topics) = (&answer.broker, answer.lanes, answer.topics.len());
    let done = match (answer.applied, missing) {
        (true, _) => "declared".to_owned(),
        (false, 0) => "nothing is missing".to_owned(),
        (false, missing) => {
            format!("{missing} groups would be created; `oms topology apply` does it, and so does every run")
        }
    };
    format!("{groups}\n{topics} topics, {lanes} lanes for each group, at {broker}: {done}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use oms_core::broker::MemoryBroker;

    fn standings(lanes: u16, declared: Option<u16>) -> Standing {
        let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::default());
        let (group, topics) = (Name::from("mail"), BTreeSet::from([Name::from("order.shipped")]));
        if let Some(lanes) = declared {
            let hears = [(group.clone(), topics.clone())].into();
            let topology = Topology { hears, lanes, ..Topology::default() };
            broker.declare(&topology).now_or_never().expect("at once").expect("new");
        }
        let found = standing(&broker, &group, &topics, lanes).now_or_never().expect("at once");
        found.expect("it answers").standing
    }

    #[test]
    fn a_group_is_missing_there_or_has_another_number_of_lanes() {
        assert_eq!(standings(4, None), Standing::Missing);
        assert_eq!(standings(4, Some(4)), Standing::There);
        assert_eq!(standings(4, Some(3)), Standing::FewerLanes);
        assert_eq!(standings(4, Some(5)), Standing::MoreLanes);
    }
}
