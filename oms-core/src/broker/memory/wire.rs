//! What all connections of one in-process broker share: the declared topology and its lanes.

use super::{
    super::{Publish, Topology},
    lane::{Answer, Lane, ReaderId, cost},
    limits::MemoryLimits,
};
use crate::{
    id::Name,
    message::{GroupLane, Limit, MAX_LANES, Pack},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
};

#[derive(Debug)]
struct Topic {
    lanes: u16,
    hearers: BTreeSet<Name>,
}

/// The shared state. Methods that let somebody go on give back wakers, to be woken without the lock.
#[derive(Debug)]
pub(super) struct Wire {
    limits: MemoryLimits,
    topics: BTreeMap<Name, Topic>,
    groups: BTreeMap<Name, Vec<Lane>>,
    held: usize,
    numbers: u64,
}

impl Wire {
    pub(super) fn new(limits: MemoryLimits) -> Self {
        Self { limits, topics: BTreeMap::new(), groups: BTreeMap::new(), held: 0, numbers: 0 }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether the broker as a whole takes anything now.
    pub(super) fn has_room(&self) -> bool {
        self.held < self.limits.total
    }

    /// A number that no token, reader or connection of this wire had before.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Adds what is missing, or lists what differs and adds nothing.
    pub(super) fn declare(&mut self, topology: &Topology) -> Result<(), String> {
        let lanes = topology.lanes;
        if lanes == 0 || lanes > MAX_LANES {
            return Err(format!("a topology has 1 to {MAX_LANES} lanes, not {lanes}"));
        }
        let differs = self.differences(topology);
        if !differs.is_empty() {
            return Err(format!("{}; declare {lanes} lanes elsewhere, or the same here", differs.join(", ")));
        }
        for (group, topics) in &topology.hears {
            let missing = || (0..lanes).map(|_| Lane::default()).collect();
            self.groups.entry(Name::clone(group)).or_insert_with(missing);
            for topic in topics {
                self.topic(topic, lanes).hearers.insert(Name::clone(group));
            }
        }
        for topic in &topology.public {
            self.topic(topic, lanes);
        }
        Ok(())
    }

    fn topic(&mut self, topic: &Name, lanes: u16) -> &mut Topic {
        let missing = || Topic { lanes, hearers: BTreeSet::new() };
        self.topics.entry(Name::clone(topic)).or_insert_with(missing)
    }

    fn differences(&self, topology: &Topology) -> Vec<String> {
        let wanted = usize::from(topology.lanes);
        let groups = topology.hears.keys().filter_map(|group| {
            let has = self.groups.get(group)?.len();
            (has != wanted).then(|| format!("group {group} has {has} lanes"))
        });
        let named: BTreeSet<&Name> = topology.hears.values().flatten().chain(&topology.public).collect();
        let topics = named.into_iter().filter_map(|topic| {
            let has = self.topics.get(topic)?.lanes;
            (has != topology.lanes).then(|| format!("topic {topic} has {has} lanes"))
        });
        groups.chain(topics).collect()
    }

    /// Publishes in order. Once a lane of a topic was full, the packs behind it for the same are held off too,
    /// so that none overtakes within one call.
    pub(super) fn publish(&mut self, packs: Vec<Pack>) -> (Vec<Publish>, Vec<Waker>) {
        let mut wakers = Vec::new();
        let mut full: BTreeSet<(Name, u16)> = BTreeSet::new();
        let mut answers = Vec::with_capacity(packs.len());
        for pack in packs {
            let answer = match self.unfit(&pack) {
                Some(why) => Publish::Rejected { for_good: true, why: Name::from(why) },
                None if full.contains(&(Name::clone(&pack.topic), pack.lane)) => self.full(),
                None => self.store(&pack, &mut wakers),
            };
            if matches!(answer, Publish::Rejected { for_good: false, .. }) {
                full.insert((pack.topic, pack.lane));
            }
            answers.push(answer);
        }
        (answers, wakers)
    }

    /// Why a pack can never be taken.
    fn unfit(&self, pack: &Pack) -> Option<String> {
        let (size, most) = (pack.bytes.len(), self.limits.pack);
        let Some(topic) = self.topics.get(&pack.topic) else {
            return Some(format!(
                "unroutable: declare topic {} first, with a group that hears it",
                pack.topic
            ));
        };
        if pack.lane >= topic.lanes {
            return Some(format!(
                "unroutable: topic {} has {} lanes, none is {}",
                pack.topic, topic.lanes, pack.lane
            ));
        }
        if size > most {
            return Some(format!("too large: {size} bytes, and at most {most} are taken; split the pack"));
        }
        let (copies, total) = (topic.hearers.len(), self.limits.total);
        let never = cost(&pack.bytes).saturating_mul(copies) > total;
        never.then(|| {
            format!("too large: {size} bytes for {copies} groups, and {total} bytes are all there is")
        })
    }

    /// Takes a pack for all who hear it, or for none.
    fn store(&mut self, pack: &Pack, wakers: &mut Vec<Waker>) -> Publish {
        let Some(topic) = self.topics.get(&pack.topic) else { return self.full() };
        let (lane, cost) = (usize::from(pack.lane), cost(&pack.bytes));
        let held = |group| self.groups.get(group).and_then(|lanes| lanes.get(lane)).map_or(0, Lane::held);
        let lanes_have_room = topic.hearers.iter().all(|group| held(group) + cost <= self.limits.lane);
        if !lanes_have_room || self.held + cost * topic.hearers.len() > self.limits.total {
            return self.full();
        }
        for group in &topic.hearers {
            if let Some(lane) = self.groups.get_mut(group).and_then(|lanes| lanes.get_mut(lane)) {
                wakers.extend(lane.push(pack.bytes.clone()));
                self.held += cost;
            }
        }
        Publish::Confirmed
    }

    fn full(&self) -> Publish {
        let MemoryLimits { lane, total, .. } = self.limits;
        let why = format!(
            "full: at most {lane} bytes wait in one lane, {total} in all; try again when some are acked"
        );
        Publish::Rejected { for_good: false, why: Name::from(why) }
    }

    /// One lane, if it was declared.
    pub(super) fn lane(&mut self, lane: &GroupLane) -> Option<&mut Lane> {
        self.groups.get_mut(&lane.group)?.get_mut(usize::from(lane.lane))
    }

    /// Brings what a reader may have.
    pub(super) fn ask(&mut self, lane: &GroupLane, reader: ReaderId, limit: Limit, waker: &Waker) -> Answer {
        let lanes = self.groups.get_mut(&lane.group);
        match lanes.and_then(|lanes| lanes.get_mut(usize::from(lane.lane))) {
            Some(lane) => lane.ask(reader, limit, &mut self.numbers, waker),
            None => Answer::Gone,
        }
    }

    /// Ends every subscription of one connection; the wakers are for those it concerns.
    pub(super) fn disconnect(&mut self, connection: u64) -> Vec<Waker> {
        self.groups.values_mut().flatten().flat_map(|lane| lane.disconnect(connection)).collect()
    }

    pub(super) fn freed(&mut self, room: usize) {
        self.held -= room;
    }

    /// Forgets everything; the wakers are those of readers who lost their lane.
    pub(super) fn wipe(&mut self) -> Vec<Waker> {
        let mut groups = std::mem::take(&mut self.groups);
        self.topics.clear();
        self.held = 0;
        groups.values_mut().flatten().flat_map(Lane::wakers).collect()
    }
}
