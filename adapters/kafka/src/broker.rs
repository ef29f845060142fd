//! Kafka as its users hold it: the port over a connection.

use crate::{
    ask::{self, Place},
    connection::Connection,
    consumer, declare,
    ends::Topic,
    errors::{NAME, closed, refused, sort, unavailable},
    note::Standing,
    route,
    settings::Settings,
};
use async_trait::async_trait;
use futures::future::{Either, select};
use oms_core::{
    broker::{Broker, BrokerError, Capabilities, Confirm, Consumer, Publish, Topology},
    message::{GroupLane, Limit, Pack},
};
use rdkafka::producer::Producer;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{runtime::Handle, task::spawn_blocking};

/// A connection to a Kafka cluster.
pub(crate) struct KafkaBroker {
    connection: Arc<Connection>,
}

/// Runs what blocks where that harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BrokerError> + Send + 'static,
) -> Result<T, BrokerError> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(unavailable(format!("a call was cut off: {error}"))))
}

impl KafkaBroker {
    /// Makes the publisher, and waits until a broker has answered or refused.
    pub(crate) async fn open(settings: Settings) -> Result<Self, BrokerError> {
        let timeout = settings.timeout;
        let connection = Arc::new(blocking(move || Connection::open_with(settings)).await?);
        let asked = Arc::clone(&connection);
        let notices = Arc::clone(&connection.notices);
        let answer = pin!(blocking(move || asked.look(timeout).map(drop)));
        let refusal = pin!(notices.refused());
        match select(answer, refusal).await {
            Either::Left((answer, _)) => answer?,
            Either::Right((why, _)) => return Err(refused(why)),
        }
        Ok(Self { connection })
    }

    /// The topics that have this lane, as the cluster knows them now.
    async fn topics_with(&self, lane: u16) -> Result<Vec<Arc<Topic>>, BrokerError> {
        let connection = Arc::clone(&self.connection);
        let timeout = connection.settings.timeout;
        if connection.declared.lock().await.is_none() {
            blocking(move || connection.look(timeout).map(drop)).await?;
        }
        let topics = self.connection.topics();
        let with = topics.values().filter(|topic| usize::from(lane) < topic.lanes());
        Ok(with.map(Arc::clone).collect())
    }
}

#[async_trait]
impl Broker for KafkaBroker {
    fn capabilities(&self) -> Capabilities {
        let copies = self.connection.settings.copies.unwrap_or(1);
        Capabilities {
            name: NAME,
            confirm: if copies >= 3 { Confirm::Quorum } else { Confirm::PageCache },
            outlives_process: true,
            exact_lag: true,
            exclusive_reader: false,
            max_bytes: self.connection.settings.max_bytes,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.connection.open()?;
        let mut declared = Arc::clone(&self.connection.declared).lock_owned().await;
        let breaks = self.connection.notices.breaks();
        if declared.as_ref().is_some_and(|(known, then)| known == topology && *then == breaks) {
            return Ok(());
        }
        let (connection, runtime) = (Arc::clone(&self.connection), Handle::current());
        let wanted = topology.clone();
        blocking(move || {
            if declared.take().is_some_and(|(_, then)| then != breaks) {
                connection.forget_ends();
            }
            declare::declare(&connection, &wanted, &runtime)?;
            *declared = Some((wanted, breaks));
            Ok(())
        })
        .await
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.connection.open()?;
        if packs.is_empty() {
            return Ok(Vec::new());
        }
        let mut topics = self.connection.topics();
        if route::has_stranger(&topics, &packs) {
            let (connection, timeout) = (Arc::clone(&self.connection), self.connection.settings.timeout);
            blocking(move || connection.look(timeout).map(drop)).await?;
            topics = self.connection.topics();
        }
        let routes = route::routes(&topics, &packs, self.connection.settings.max_bytes);
        Ok(self.connection.publisher.publish(&packs, &routes).await)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        self.connection.open()?;
        let topics = self.topics_with(lane.lane).await?;
        let (connection, lane) = (Arc::clone(&self.connection), lane.clone());
        let group = blocking({
            let (connection, name) = (Arc::clone(&connection), lane.group.clone());
            move || connection.group(&name)
        })
        .await?;
        let with = Arc::clone(&group);
        let joined = group.ask(move || consumer::join(&connection, &with, &lane, topics, window));
        Ok(Box::new(joined.await?))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.connection.open()?;
        let topics = self.topics_with(lane.lane).await?;
        let (connection, lane) = (Arc::clone(&self.connection), lane.clone());
        blocking(move || lag(&connection, &lane, topics)).await
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.connection.open()?;
        let connection = Arc::clone(&self.connection);
        blocking(move || {
            let live = connection.publisher.live();
            let producer = live.get().ok_or_else(closed)?;
            let topics = connection.topics();
            let one = topics.values().next().map(|topic| topic.wire.as_str());
            let asked = producer.client().fetch_metadata(one, connection.settings.timeout);
            asked.map(drop).map_err(|error| sort(&error, "probing"))
        })
        .await
    }

    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError> {
        if !self.connection.close() {
            return Err(closed());
        }
        let groups = self.connection.take_groups();
        groups.iter().for_each(|group| group.wake());
        let connection = Arc::clone(&self.connection);
        let flushed = blocking(move || {
            connection.publisher.flush(drain).map_err(|_| unavailable("some packs had no answer in time"))
        })
        .await;
        let settled = async {
            for group in &groups {
                if let Err(error) = group.flush_all().await {
                    tracing::debug!(%error, group = %group.name, "what was acked is delivered again");
                }
            }
        };
        let _ = tokio::time::timeout(drain, settled).await;
        flushed
    }
}

/// What is published and not acked, over all topics that the group hears. Blocks.
fn lag(connection: &Connection, lane: &GroupLane, topics: Vec<Arc<Topic>>) -> Result<u64, BrokerError> {
    let timeout = connection.settings.timeout;
    let group = connection.group(&lane.group)?;
    let places: Vec<Place> = topics.into_iter().map(|topic| (topic, lane.lane)).collect();
    let standings = ask::committed(&group.client, &places, timeout)?;
    let heard = places.into_iter().zip(standings).filter_map(|(place, at)| Some((place, at?)));
    let (places, heard): (Vec<Place>, Vec<Standing>) = heard.unzip();
    if heard.is_empty() {
        return Err(refused(format!("lane {lane} was never declared; declare a topology with this group")));
    }
    let ends = ask::end_of_each(&connection.publisher.live(), &places, timeout)?;
    let ours = group.shared.lanes().get(&lane.lane).filter(|ours| !ours.is_lost()).cloned();
    let waits = places.iter().zip(heard).zip(ends).map(|(((topic, _), at), end)| {
        let marks = ours.iter().flat_map(|ours| &ours.marks);
        let mark = marks.into_iter().find(|mark| mark.topic.wire == topic.wire);
        let acked = mark.map_or(at.note.ahead.len() as u64, |mark| mark.acked_beyond(&at));
        u64::try_from(end - at.offset).unwrap_or(0).saturating_sub(acked)
    });
    Ok(waits.sum())
}
