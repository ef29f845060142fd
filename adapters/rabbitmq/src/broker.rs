//! RabbitMQ as its users hold it: the port over two connections.

use crate::{
    consumer, declare,
    errors::{NAME, closed, refused, unavailable},
    line::{Line, channel},
    names,
    publisher::Publisher,
    settings::Settings,
    talk::Talk,
};
use async_trait::async_trait;
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Confirm, Consumer, Publish, Topology},
    message::{GroupLane, Limit, Pack},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A server or cluster. Publishing has a connection of its own: one that the server blocks writes nothing at all any more, and
/// settlements must go out then.
pub(crate) struct RabbitBroker {
    settings: Arc<Settings>,
    reading: Arc<Line>,
    publishing: Arc<Line>,
    publisher: Publisher,
}

impl RabbitBroker {
    pub(crate) async fn open(settings: Settings) -> Result<Self, BrokerError> {
        if let Some(why) = names::nonsense(&Topology { lanes: 1, ..Topology::default() }, &settings.prefix) {
            return Err(refused(why));
        }
        let settings = Arc::new(settings);
        let publishing = Arc::new(Line::new(&settings, "publishes"));
        publishing.get().await?;
        Ok(Self {
            reading: Arc::new(Line::new(&settings, "reads")),
            publisher: Publisher::new(Arc::clone(&publishing)),
            publishing,
            settings,
        })
    }

    /// The queue of a lane, which must be there.
    async fn queue(&self, lane: &GroupLane) -> Result<(String, u64), BrokerError> {
        let queue = names::queue(&self.settings.prefix, lane);
        let undeclared = || {
            refused(format!(
                "lane {lane} was never declared; declare a topology with this group and enough lanes"
            ))
        };
        let waiting = Talk::new(&self.reading).waiting(&queue).await?.ok_or_else(undeclared)?;
        Ok((queue, u64::from(waiting.ready)))
    }
}

#[async_trait]
impl Broker for RabbitBroker {
    fn capabilities(&self) -> Capabilities {
        let several = self.settings.copies.is_some_and(|copies| copies >= 3);
        Capabilities {
            name: NAME,
            confirm: if several { Confirm::Quorum } else { Confirm::Fsync },
            outlives_process: true,
            exact_lag: false,
            // The server has a second reader wait, and does not tell it so: it says that nothing waits for it, and the store
            // gives it what is owed.
            exclusive_reader: false,
            max_bytes: self.settings.max_bytes,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        declare::declare(&self.publishing, topology).await?;
        self.publisher.learn(topology);
        Ok(())
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.publishing.check()?;
        self.publisher.publish(packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let (queue, _) = self.queue(lane).await?;
        Ok(Box::new(consumer::join(Arc::clone(&self.reading), queue, window).await?))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.queue(lane).await.map(|(_, ready)| ready)
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        let connection = self.publishing.get().await?;
        if connection.status().blocked() {
            return Err(unavailable("the server holds publishers back; free memory or disk there"));
        }
        let opened = channel(&connection, self.settings.timeout).await?;
        let closed = timeout(self.settings.timeout, opened.close(200, "probed".into())).await;
        closed
            .map_err(|_| unavailable("a probe had no answer in time"))?
            .map_err(|error| unavailable(error.to_string()))
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        let finished = timeout(drain, self.publisher.finished()).await;
        let first = self.publishing.close().await;
        self.reading.close().await;
        match (first, finished) {
            (false, _) => Err(closed()),
            (true, Ok(())) => Ok(()),
            (true, Err(_)) => Err(unavailable("some packs had no answer in time")),
        }
    }
}
