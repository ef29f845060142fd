//! NATS as its users hold it: the port over a connection.

use crate::{
    connection::{Connection, Shared},
    consumer, declare,
    errors::{NAME, closed, refused, unavailable},
    names, publisher,
    settings::Settings,
};
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Confirm, Consumer, Publish, Topology},
    id::Name,
    message::{GroupLane, Limit, Pack},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A connection to a NATS server or cluster.
pub(crate) struct NatsBroker {
    connection: Shared,
}

impl NatsBroker {
    pub(crate) async fn open(settings: Settings) -> Result<Self, BrokerError> {
        Ok(Self { connection: Arc::new(Connection::open(settings).await?) })
    }

    async fn info(&self, topic: Name, durable: &str) -> Result<Option<(Name, Value)>, BrokerError> {
        let info = declare::consumer(&self.connection, &topic, durable).await?;
        Ok(info.map(|info| (topic, info)))
    }

    /// The topics that this group hears on this lane, each with what the server says of its durable.
    async fn heard(&self, lane: &GroupLane) -> Result<Vec<(Name, Value)>, BrokerError> {
        let topics = declare::look(&self.connection).await?;
        let durable = names::durable_of(lane);
        let mut asked = Vec::new();
        for (topic, _) in topics.into_iter().filter(|(_, lanes)| lane.lane < *lanes) {
            asked.push(self.info(topic, &durable).boxed());
        }
        let heard: Vec<Option<(Name, Value)>> = stream::iter(asked).buffered(64).try_collect().await?;
        let heard: Vec<(Name, Value)> = heard.into_iter().flatten().collect();
        if heard.is_empty() {
            let why = format!(
                "lane {lane} was never declared; declare a topology with this group and enough lanes"
            );
            return Err(refused(why));
        }
        Ok(heard)
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: NAME,
            confirm: if self.connection.settings.copies >= 3 { Confirm::Quorum } else { Confirm::PageCache },
            outlives_process: true,
            exact_lag: true,
            exclusive_reader: false,
            max_bytes: self.connection.max_bytes,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.connection.check()?;
        let mut declared = self.connection.declared.lock().await;
        // Asked again each time: another process may have seen that the server forgot.
        if declare::declare(&self.connection, topology).await? && *declared {
            // What this connection knew was gone, or is heard more widely: its readers subscribe again.
            self.connection.lost();
            declare::look(&self.connection).await?;
        }
        *declared = true;
        Ok(())
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.connection.check()?;
        publisher::publish(&self.connection, packs).await
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.connection.check()?;
        let losses = self.connection.losses();
        let joined_at = *losses.borrow();
        let topics = self.heard(lane).await?;
        let joined =
            consumer::join(Arc::clone(&self.connection), topics, lane, window, (losses, joined_at)).await?;
        Ok(Box::new(joined))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.connection.check()?;
        let number = |info: &Value, field: &str| info[field].as_u64().unwrap_or(0);
        let heard = self.heard(lane).await?;
        Ok(heard.iter().map(|(_, info)| number(info, "num_pending") + number(info, "num_ack_pending")).sum())
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.connection.check()?;
        let asked = self.connection.ask("INFO", &json!({})).await?;
        asked.map(drop).map_err(|error| unavailable(format!("probing: {error}")))
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        if !self.connection.close() {
            return Err(closed());
        }
        let finished = timeout(drain, self.connection.answers.finished()).await;
        let flushed = timeout(drain, self.connection.client.flush()).await;
        let _ = timeout(drain, self.connection.client.drain()).await;
        match (finished, flushed) {
            (Ok(()), Ok(Ok(()))) => Ok(()),
            _ => Err(unavailable("some packs had no answer in time")),
        }
    }
}
