//! rdkafka by itself: the same settings that change what is promised or how fast it goes, nothing of ours.

use super::{
    carry::{Reader, UNSETTLED, Wire},
    road::Road,
};
use crate::fault::Fault;
use async_trait::async_trait;
use futures::{FutureExt, future::try_join_all};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer, StreamConsumer},
    message::BorrowedMessage,
    producer::{FutureProducer, FutureRecord},
};
use std::{hint::black_box, ops::Range, sync::Arc};

/// How many packs the producer holds at most, as the adapter's does.
const WINDOW: &str = "10000";

/// A producer, and the settings of its readers.
pub(super) struct Bare {
    producer: FutureProducer,
    address: String,
}

impl Bare {
    /// Connects, as far as this client ever does before it is used.
    pub(super) fn open(address: &str) -> Result<Self, Fault> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", address)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "1")
            .set("message.timeout.ms", "10000")
            .set("queue.buffering.max.messages", WINDOW);
        let producer = config.create().map_err(Fault::measured)?;
        Ok(Self { producer, address: address.to_owned() })
    }
}

#[async_trait]
impl Wire for Bare {
    async fn batch(&self, road: &Road, _: usize, numbers: Range<usize>) -> Result<(), Fault> {
        let payload = road.payload();
        let mut sent = Vec::with_capacity(numbers.len());
        for number in numbers {
            let record = FutureRecord::<(), [u8]>::to(&road.topic)
                .partition(i32::from(road.lane(number)))
                .payload(&payload);
            sent.push(self.producer.send_result(record).map_err(|(error, _)| Fault::measured(error))?);
        }
        for answer in try_join_all(sent).await.map_err(Fault::measured)? {
            answer.map_err(|(error, _)| Fault::measured(error))?;
        }
        Ok(())
    }

    async fn readers(&self, road: &Road) -> Result<Vec<Box<dyn Reader>>, Fault> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.address)
            .set("group.id", &*road.group)
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "100")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.min.messages", "2000")
            .set("queued.max.messages.kbytes", "1024");
        let consumer: StreamConsumer = config.create().map_err(Fault::measured)?;
        let mut lanes = TopicPartitionList::new();
        for lane in 0..road.shape.lanes {
            let added = lanes.add_partition_offset(&road.topic, i32::from(lane), Offset::Stored);
            added.map_err(Fault::measured)?;
        }
        consumer.assign(&lanes).map_err(Fault::measured)?;
        Ok(vec![Box::new(Partitions(Arc::new(consumer)))])
    }
}

/// All partitions of a topic: a bare client reads them with one consumer.
struct Partitions(Arc<StreamConsumer>);

impl Partitions {
    /// Somebody hands the bytes on, so that they have to be owned; then the offset may be committed.
    fn take(&self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        black_box(message.payload().map(<[u8]>::to_vec));
        self.0.store_offset_from_message(message).map_err(Fault::measured)
    }
}

#[async_trait]
impl Reader for Partitions {
    async fn read(&mut self) -> Result<usize, Fault> {
        self.take(&self.0.recv().await.map_err(Fault::measured)?)?;
        let mut count = 1;
        while count < UNSETTLED
            && let Some(message) = self.0.recv().now_or_never()
        {
            self.take(&message.map_err(Fault::measured)?)?;
            count += 1;
        }
        Ok(count)
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        let consumer = Arc::clone(&self.0);
        let last = move || consumer.commit_consumer_state(CommitMode::Sync);
        match tokio::task::spawn_blocking(last).await.map_err(Fault::measured)? {
            // What was committed in passing is not committed again.
            Err(rdkafka::error::KafkaError::ConsumerCommit(rdkafka::types::RDKafkaErrorCode::NoOffset)) => {
                Ok(())
            }
            other => other.map_err(Fault::measured),
        }
    }
}
