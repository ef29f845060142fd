//! async-nats by itself: the same acks, durables and window, nothing of ours.

use super::{
    carry::{Reader, UNSETTLED, Wire},
    road::Road,
};
use crate::fault::Fault;
use async_nats::jetstream::{
    self, AckKind, Context,
    consumer::{PullConsumer, pull::Stream},
};
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::try_join_all};
use std::{hint::black_box, ops::Range};

/// What the adapter puts before every name where nothing else is asked for.
const PREFIX: &str = "oms";

/// A JetStream context on one connection, as the adapter has one.
pub(super) struct Bare(Context);

impl Bare {
    /// Connects.
    pub(super) async fn open(address: &str) -> Result<Self, Fault> {
        let client = async_nats::connect(address).await.map_err(Fault::measured)?;
        let context = jetstream::context::ContextBuilder::new().max_ack_inflight(10_000).build(client);
        Ok(Self(context))
    }
}

#[async_trait]
impl Wire for Bare {
    async fn batch(&self, road: &Road, _: usize, numbers: Range<usize>) -> Result<(), Fault> {
        let mut sent = Vec::with_capacity(numbers.len());
        for number in numbers {
            let subject = format!("{PREFIX}.{}.{}", road.topic, road.lane(number));
            sent.push(self.0.publish(subject, road.payload()).await.map_err(Fault::measured)?);
        }
        try_join_all(sent.into_iter().map(IntoFuture::into_future)).await.map_err(Fault::measured)?;
        Ok(())
    }

    async fn readers(&self, road: &Road) -> Result<Vec<Box<dyn Reader>>, Fault> {
        let stream =
            self.0.get_stream_no_info(format!("{PREFIX}-{}", road.topic)).await.map_err(Fault::measured)?;
        let mut all: Vec<Box<dyn Reader>> = Vec::new();
        for lane in road.lanes() {
            let durable = format!("{}-{}", lane.group, lane.lane);
            let consumer: PullConsumer = stream.get_consumer(&durable).await.map_err(Fault::measured)?;
            let messages = consumer.stream().max_messages_per_batch(UNSETTLED).messages().await;
            all.push(Box::new(Durable { messages: messages.map_err(Fault::measured)?, last: None }));
        }
        Ok(all)
    }
}

struct Durable {
    messages: Stream,
    last: Option<jetstream::Message>,
}

impl Durable {
    async fn take(
        &mut self,
        message: Option<Result<jetstream::Message, impl std::error::Error + Send + Sync + 'static>>,
    ) -> Result<(), Fault> {
        let message =
            message.ok_or_else(|| Fault::void("the subscription ended"))?.map_err(Fault::measured)?;
        black_box(&message.payload);
        message.ack().await.map_err(Fault::measured)?;
        self.last = Some(message);
        Ok(())
    }
}

#[async_trait]
impl Reader for Durable {
    async fn read(&mut self) -> Result<usize, Fault> {
        let first = self.messages.next().await;
        self.take(first).await?;
        let mut count = 1;
        while count < UNSETTLED
            && let Some(more) = self.messages.next().now_or_never()
        {
            self.take(more).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        match self.last {
            // Answered behind all others: a second word on a pack changes nothing.
            Some(last) => last.double_ack_with(AckKind::Ack).await.map_err(Fault::measured),
            None => Ok(()),
        }
    }
}
