//! lapin by itself: the same queues, confirms and acks, nothing of ours.

use super::{
    carry::{Reader, UNSETTLED, WRITERS, Wire},
    road::Road,
};
use crate::fault::Fault;
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::try_join_all};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use std::{hint::black_box, ops::Range};

/// What the adapter puts before every name where nothing else is asked for.
const PREFIX: &str = "oms";

/// Two connections, as the adapter has; a channel for each writer.
pub(super) struct Bare {
    reading: Connection,
    writers: Vec<Channel>,
    /// Its channels end with it.
    _publishing: Connection,
}

impl Bare {
    /// Connects.
    pub(super) async fn open(url: &str) -> Result<Self, Fault> {
        let connect = || Connection::connect(url, ConnectionProperties::default());
        let (reading, publishing) =
            (connect().await.map_err(Fault::measured)?, connect().await.map_err(Fault::measured)?);
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let channel = publishing.create_channel().await.map_err(Fault::measured)?;
            channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(Fault::measured)?;
            writers.push(channel);
        }
        Ok(Self { reading, writers, _publishing: publishing })
    }
}

#[async_trait]
impl Wire for Bare {
    async fn batch(&self, road: &Road, writer: usize, numbers: Range<usize>) -> Result<(), Fault> {
        let channel =
            self.writers.get(writer).ok_or_else(|| Fault::void("there are fewer channels than writers"))?;
        let (payload, exchange) = (road.payload(), format!("{PREFIX}.{}", road.topic));
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let one = async |number: usize| {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let key = road.lane(number).to_string().into();
            let sent =
                channel.basic_publish(exchange.as_str().into(), key, options, &payload, properties).await?;
            sent.await
        };
        let answers = try_join_all(numbers.map(one)).await.map_err(Fault::measured)?;
        match answers.into_iter().find(|answer| *answer != Confirmation::Ack(None)) {
            Some(answer) => Err(Fault::void(format!("a message was not confirmed: {answer:?}"))),
            None => Ok(()),
        }
    }

    async fn readers(&self, road: &Road) -> Result<Vec<Box<dyn Reader>>, Fault> {
        let mut all: Vec<Box<dyn Reader>> = Vec::new();
        for lane in road.lanes() {
            let queue = format!("{PREFIX}.{}.{}", lane.group, lane.lane);
            let channel = self.reading.create_channel().await.map_err(Fault::measured)?;
            channel.basic_qos(UNSETTLED as u16, BasicQosOptions::default()).await.map_err(Fault::measured)?;
            let options = BasicConsumeOptions::default();
            let consume =
                channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default());
            let consumer = consume.await.map_err(Fault::measured)?;
            all.push(Box::new(Queue { queue, channel, consumer }));
        }
        Ok(all)
    }
}

struct Queue {
    queue: String,
    channel: Channel,
    consumer: Consumer,
}

#[async_trait]
impl Reader for Queue {
    async fn read(&mut self) -> Result<usize, Fault> {
        let (mut next, mut last, mut count) = (self.consumer.next().await, 0, 0);
        while let Some(delivery) = next.take() {
            let delivery = delivery.map_err(Fault::measured)?;
            last = delivery.delivery_tag;
            black_box(delivery.data);
            count += 1;
            if count < UNSETTLED {
                next = self.consumer.next().now_or_never().flatten();
            }
        }
        if count == 0 {
            return Err(Fault::void("the subscription ended"));
        }
        let acked = self.channel.basic_ack(last, BasicAckOptions { multiple: true });
        acked.await.map_err(Fault::measured).map(|()| count)
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let asked = self.channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default());
        asked.await.map_err(Fault::measured)?;
        self.channel.close(200, "read".into()).await.map_err(Fault::measured)
    }
}
