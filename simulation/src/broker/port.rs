//! The broker as one process holds it: a connection, and what goes wrong on the way.

use super::consumer::SimConsumer;
use crate::{
    executor::give_way,
    fault::Fault,
    groups::PUBLIC_TOPICS,
    groups::{BRIEF, LATE},
    lock::locked,
    mark::Mark,
    world::World,
};
use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, MemoryBroker, Publish, Topology},
    message::{GroupLane, Limit, Pack},
    store::PUBLIC,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A process's connection.
pub(crate) struct SimBroker {
    world: Arc<World>,
    /// A connection belongs to one server; another server is another connection.
    connection: Mutex<(Arc<MemoryBroker>, Arc<MemoryBroker>)>,
    /// What was declared over it.
    declared: Mutex<Topology>,
}

/// What becomes of one pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Stored,
    Twice,
    Lost,
    UnknownStored,
    UnknownLost,
    Later,
    NoRoom,
}

impl SimBroker {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let connection = Mutex::new((world.wire.server(), Arc::new(world.wire.connect())));
        Self { world, connection, declared: Mutex::default() }
    }

    /// The connection to the server that is there now.
    fn connection(&self) -> Arc<MemoryBroker> {
        let mut held = locked(&self.connection);
        let server = self.world.wire.server();
        if !Arc::ptr_eq(&held.0, &server) {
            *held = (server, Arc::new(self.world.wire.connect()));
        }
        Arc::clone(&held.1)
    }

    async fn there(&self) -> Result<Arc<MemoryBroker>, BrokerError> {
        give_way().await;
        if self.world.wire.is_away(self.world.time.now()) {
            return Err(BrokerError::Unavailable { broker: "simulated", source: "it is away".into() });
        }
        Ok(self.connection())
    }

    fn way(&self, pack: &Pack) -> Way {
        let ways = [
            (Fault::Refuse, Way::NoRoom),
            (Fault::Lose, Way::Lost),
            (Fault::UnknownLost, Way::UnknownLost),
            (Fault::UnknownStored, Way::UnknownStored),
            (Fault::Delay, Way::Later),
            (Fault::Duplicate, Way::Twice),
        ];
        let way = ways.into_iter().find(|(fault, _)| self.world.happens(*fault));
        let way = way.map_or(Way::Stored, |(_, way)| way);
        if way != Way::Stored {
            self.world.trace.say(|| format!("broker: pack {} goes wrong: {way:?}", pack.id));
        }
        way
    }

    /// Who publishes has declared all who hear it (rule 4), but for those who come or go in mid-run.
    fn require_declared(&self, packs: &[Pack]) {
        let declared = locked(&self.declared);
        let missing = |pack: &Pack| {
            let book = self.world.book();
            let mut own = book.hearers(&pack.id).filter(|group| ![PUBLIC, LATE, BRIEF].contains(&&***group));
            own.find(|group| declared.hears.get(*group).is_none_or(|topics| !topics.contains(&pack.topic)))
                .cloned()
        };
        if let Some((pack, group)) = packs.iter().find_map(|pack| Some((pack, missing(pack)?))) {
            let (id, topic) = (&pack.id, &pack.topic);
            self.world
                .wrong(format!("{id} was published by one who had not declared that {group} hears {topic}"));
        }
    }

    /// Carries a pack later, if the server is still the same by then.
    fn carry_later(&self, pack: Pack) {
        let world = Arc::clone(&self.world);
        let after = world.throw(Fault::Delay, |dice| dice.millis(10, 12_000));
        let server = world.wire.server();
        self.world.wishes.spawn("carrier", async move {
            world.time.sleep(after).await;
            // A server that was wiped meanwhile may not know the topic: then the pack is lost.
            if let Ok(answers) = server.publish(vec![pack.clone()]).await
                && answers == [Publish::Confirmed]
            {
                world.wire.stored(&[pack], is_public);
            }
        });
    }
}

fn is_public(pack: &Pack) -> bool {
    PUBLIC_TOPICS.contains(&&*pack.topic)
}

fn answer(way: Way, stored: Option<&Publish>) -> Publish {
    match way {
        Way::Lost | Way::Later => Publish::Confirmed,
        Way::UnknownLost => Publish::Unknown,
        Way::NoRoom => Publish::Rejected { for_good: false, why: "full".into() },
        Way::Stored | Way::Twice => stored.cloned().unwrap_or(Publish::Unknown),
        Way::UnknownStored => match stored {
            Some(Publish::Confirmed) | None => Publish::Unknown,
            Some(other) => other.clone(),
        },
    }
}

#[async_trait]
impl Broker for SimBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities { outlives_process: !self.world.plan.embedded, ..self.connection().capabilities() }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.there().await?.declare(topology).await?;
        self.world.wire.declared(topology);
        *locked(&self.declared) = topology.clone();
        Ok(())
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let connection = self.there().await?;
        if self.world.wire.published(&packs) > 0 {
            self.world.mark(Mark::RelayedAgain);
        }
        self.require_declared(&packs);
        let ways: Vec<Way> = packs.iter().map(|pack| self.way(pack)).collect();
        let mut carried: Vec<(usize, Pack)> = Vec::new();
        for (place, (pack, way)) in packs.into_iter().zip(&ways).enumerate() {
            match way {
                Way::Later => self.carry_later(pack),
                Way::Lost | Way::UnknownLost | Way::NoRoom => {}
                Way::Twice => carried.extend([(place, pack.clone()), (place, pack)]),
                Way::Stored | Way::UnknownStored => carried.push((place, pack)),
            }
        }
        if carried.len() > 1 && self.world.happens(Fault::Shuffle) {
            let last = carried.len() - 1;
            let place = self.world.throw(Fault::Shuffle, |dice| dice.index(last));
            carried.swap(place, last);
        }
        let (places, stored): (Vec<usize>, Vec<Pack>) = carried.into_iter().unzip();
        let answers = connection.publish(stored.clone()).await?;
        let taken: BTreeSet<usize> =
            (0..answers.len()).filter(|number| answers.get(*number) == Some(&Publish::Confirmed)).collect();
        let kept: Vec<Pack> = stored
            .into_iter()
            .enumerate()
            .filter(|(number, _)| taken.contains(number))
            .map(|(_, pack)| pack)
            .collect();
        self.world.wire.stored(&kept, is_public);
        give_way().await;
        let of = |place: usize| {
            places.iter().position(|stored| *stored == place).and_then(|number| answers.get(number))
        };
        Ok(ways.iter().enumerate().map(|(place, way)| answer(*way, of(place))).collect())
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let inside = self.there().await?.subscribe(lane, window).await?;
        Ok(Box::new(SimConsumer::new(inside, Arc::clone(&self.world), lane.clone())))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.connection().lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.there().await.map(|_| ())
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.connection().shutdown(drain).await
    }
}
