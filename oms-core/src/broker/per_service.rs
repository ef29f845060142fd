//! Fewer topics: everything that one service says, and is told, travels on one topic of the broker.

use super::{Broker, BrokerError, Capabilities, Consumer, Publish, Topology};
use crate::{
    id::Name,
    message::{GroupLane, Limit, Pack},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A broker with one topic for each service, in place of one for each kind of message.
///
/// A group that hears one kind is then brought everything of that service. What it is not owed it acks as it does a
/// duplicate, so nothing changes but the cost: fewer topics to keep, more copies to carry. Every process of an installation
/// must name topics alike; where they do not, what the broker does not bring is taken from the store.
///
/// ```
/// use oms_core::broker::PerService;
/// assert_eq!(PerService::topic("order.shipped"), "order");
/// assert_eq!(PerService::topic("audit"), "audit");
/// ```
pub struct PerService(Arc<dyn Broker>);

impl PerService {
    /// Names the topics of `broker` by service.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self(broker)
    }

    /// The topic on which messages of `topic` travel: what stands before its first dot.
    #[must_use]
    pub fn topic(topic: &str) -> &str {
        topic.split_once('.').map_or(topic, |(service, _)| service)
    }

    /// The topology as the broker sees it.
    #[must_use]
    pub fn topology(topology: &Topology) -> Topology {
        let service = |topic: &Name| Name::from(Self::topic(topic));
        let hears = topology.hears.iter().map(|(group, topics)| {
            let topics = topics.iter().map(service).collect();
            (Name::clone(group), topics)
        });
        let public = topology.public.iter().map(service).collect();
        Topology { hears: hears.collect(), public, lanes: topology.lanes }
    }
}

#[async_trait]
impl Broker for PerService {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.0.declare(&Self::topology(topology)).await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        let named = |pack: Pack| Pack { topic: Name::from(Self::topic(&pack.topic)), ..pack };
        self.0.publish(packs.into_iter().map(named).collect()).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.0.subscribe(lane, window).await
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.0.lag(lane).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.0.probe().await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        self.0.shutdown(drain).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{broker::MemoryBroker, message::PackId};
    use futures::FutureExt;

    #[test]
    fn a_group_that_hears_one_kind_is_brought_what_is_published_for_its_service() {
        let broker = PerService::new(Arc::new(MemoryBroker::default()));
        let hears = [("mail".into(), ["order.shipped".into()].into())].into();
        let topology = Topology { hears, lanes: 1, ..Topology::default() };
        broker.declare(&topology).now_or_never().unwrap().unwrap();
        let pack = |topic: &str| Pack {
            id: PackId { sender: GroupLane::new("order", 0), position: 1 },
            topic: Name::from(topic),
            lane: 0,
            keys: vec![1],
            bytes: "x".into(),
        };
        let packs = vec![pack("order.shipped"), pack("order.placed"), pack("payment.processed")];
        let answers = broker.publish(packs).now_or_never().unwrap().unwrap();
        assert!(matches!(answers[..], [Publish::Confirmed, Publish::Confirmed, Publish::Rejected { .. }]));
        let lag = broker.lag(&GroupLane::new("mail", 0)).now_or_never().unwrap();
        assert_eq!(lag.unwrap(), 2);
    }
}
