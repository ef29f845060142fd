//! A broker that lies: it confirms everything, and duplicates, shuffles, delays, drops and replays, by seed.

use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Consumer, MemoryBroker, Publish, Topology},
    id::Digest,
    message::{GroupLane, Limit, Pack},
};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

#[derive(Default)]
struct Cloud {
    draws: u64,
    delayed: Vec<Pack>,
    seen: Vec<Pack>,
    counts: Counts,
}

/// How often it did what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) dropped: u32,
    pub(crate) doubled: u32,
    pub(crate) delayed: u32,
    pub(crate) replayed: u32,
}

/// What a storm does to a pack, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    pub(crate) drop: u64,
    pub(crate) double: u64,
    pub(crate) delay: u64,
}

pub(crate) struct Storm {
    inner: MemoryBroker,
    weather: Weather,
    cloud: Mutex<Cloud>,
}

impl Storm {
    pub(crate) fn new(weather: Weather) -> Self {
        Self { inner: MemoryBroker::default(), weather, cloud: Mutex::default() }
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().expect("no panic inside")
    }

    pub(crate) fn counts(&self) -> Counts {
        self.cloud().counts
    }

    /// Whatever was ever published.
    pub(crate) fn seen(&self) -> Vec<Pack> {
        self.cloud().seen.clone()
    }

    /// Publishes again whatever was ever published, from the beginning.
    pub(crate) async fn replay(&self) {
        let packs = {
            let mut cloud = self.cloud();
            cloud.counts.replayed += 1;
            cloud.seen.clone()
        };
        self.inner.publish(packs).await.expect("takes them");
    }

    /// What reaches the lanes now: some of `packs`, some twice, some of earlier, in any order.
    fn stir(&self, packs: Vec<Pack>) -> Vec<Pack> {
        let (weather, mut cloud) = (self.weather, self.cloud());
        let mut out = std::mem::take(&mut cloud.delayed);
        for pack in packs {
            cloud.seen.push(pack.clone());
            let draw = cloud.draw(weather.seed) % 100;
            if draw < weather.drop {
                cloud.counts.dropped += 1;
                continue;
            }
            if draw < weather.drop + weather.delay {
                cloud.counts.delayed += 1;
                cloud.delayed.push(pack);
                continue;
            }
            if draw < weather.drop + weather.delay + weather.double {
                cloud.counts.doubled += 1;
                out.push(pack.clone());
            }
            out.push(pack);
        }
        for last in (1..out.len()).rev() {
            let other = usize::try_from(cloud.draw(weather.seed) % (last as u64 + 1)).expect("small");
            out.swap(last, other);
        }
        out
    }
}

impl Cloud {
    fn draw(&mut self, seed: u64) -> u64 {
        self.draws += 1;
        let digest = Digest::new("storm").number(seed.into()).number(self.draws.into()).finish();
        u64::try_from(digest % (1 << 60)).expect("fits")
    }
}

#[async_trait]
impl Broker for Storm {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let confirmed = vec![Publish::Confirmed; packs.len()];
        self.inner.publish(self.stir(packs)).await?;
        Ok(confirmed)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.inner.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.inner.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.inner.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.inner.shutdown(drain).await
    }
}
