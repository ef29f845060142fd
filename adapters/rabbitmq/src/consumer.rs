//! Reads one lane of one group.

use crate::{
    courier::{Courier, Shared},
    errors::{sort, unavailable},
    held::Held,
    line::Line,
    talk::look,
};
use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use lapin::{
    Channel,
    message::Delivery as Brought,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use oms_core::{
    broker::{Batch, BrokerError, Consumer, Delivery, Settlement, Stale, Token},
    message::Limit,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a reader that cannot say yet that nothing waits listens before it asks again.
const AGAIN: Duration = Duration::from_millis(50);

/// A reader of one lane.
pub(crate) struct RabbitConsumer {
    line: Arc<Line>,
    queue: String,
    channel: Channel,
    /// Until it leaves.
    stream: Option<lapin::Consumer>,
    shared: Arc<Shared>,
    courier: Courier,
    caught_up: bool,
}

/// Joins a lane whose queue is there.
pub(crate) async fn join(
    line: Arc<Line>,
    queue: String,
    window: Limit,
) -> Result<RabbitConsumer, BrokerError> {
    let patience = line.settings.timeout;
    let channel = line.channel().await?;
    let most = u16::try_from(window.messages).unwrap_or(u16::MAX).max(1);
    let consume = async {
        channel.basic_qos(most, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default()).await
    };
    let joined = timeout(patience, consume).await.map_err(|_| unavailable("subscribing took too long"))?;
    let stream = joined.map_err(|error| sort(&error, &format!("subscribing to {queue}")))?;
    let shared = Shared::new(Held::new(window));
    let courier = Courier::start(channel.clone(), queue.clone(), Arc::clone(&shared), patience);
    Ok(RabbitConsumer { line, queue, channel, stream: Some(stream), shared, courier, caught_up: false })
}

/// What the server sends next; nothing any more, once it has left.
async fn next(stream: &mut Option<lapin::Consumer>) -> Option<lapin::Result<Brought>> {
    match stream {
        Some(stream) => stream.next().await,
        None => None,
    }
}

impl Drop for RabbitConsumer {
    fn drop(&mut self) {
        self.courier.dismiss(self.stream.take());
    }
}

impl RabbitConsumer {
    fn check(&self) -> Result<(), BrokerError> {
        self.line.check()?;
        if self.channel.status().connected() {
            return Ok(());
        }
        Err(unavailable("the subscription was lost; subscribe again"))
    }

    /// Notes what the server sent.
    fn take(&mut self, brought: Option<lapin::Result<Brought>>) -> Result<(), BrokerError> {
        let lost = match brought {
            Some(Ok(delivery)) => {
                self.shared.held().arrive(delivery.delivery_tag, delivery.data.into());
                return Ok(());
            }
            Some(Err(error)) => error.to_string(),
            None => format!("the server has no {} any more", self.queue),
        };
        self.line.check()?;
        Err(unavailable(lost))
    }

    /// Takes what is already here, without waiting.
    fn gather(&mut self) -> Result<(), BrokerError> {
        while let Some(brought) = next(&mut self.stream).now_or_never() {
            self.take(brought)?;
        }
        Ok(())
    }

    /// Whether nothing waits: the server has nothing that it has not given us, and nothing is on its way. What a queue gives while
    /// it is asked is sent behind the first answer, but before a second.
    async fn nothing_waits(&mut self) -> Result<bool, BrokerError> {
        for _ in 0..2 {
            let answered = timeout(self.line.settings.timeout, look(&self.channel, &self.queue)).await;
            let answered = answered.map_err(|_| unavailable("the server is silent"))?;
            let waiting =
                answered.map_err(|error| unavailable(format!("asking for {}: {error}", self.queue)))?;
            // A queue that cannot be asked just now is said to have no readers, though it has one.
            if waiting.ready > 0 || waiting.readers == 0 {
                return Ok(false);
            }
            self.gather()?;
            if self.shared.held().is_waiting() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        loop {
            self.check()?;
            self.gather()?;
            let given = self.shared.held().give(limit);
            if !given.is_empty() {
                self.caught_up = false;
                let deliver = |(tag, bytes)| Delivery { token: Token::new(tag), bytes };
                return Ok(Batch { deliveries: given.into_iter().map(deliver).collect(), caught_up: false });
            }
            if self.caught_up || self.shared.held().is_waiting() {
                // Nothing is missing, or the window is full.
                let brought = next(&mut self.stream).await;
                self.take(brought)?;
            } else if self.nothing_waits().await? {
                self.caught_up = true;
                return Ok(Batch { deliveries: Vec::new(), caught_up: true });
            } else if let Ok(brought) = timeout(AGAIN, next(&mut self.stream)).await {
                self.take(brought)?;
            }
        }
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        if !self.channel.status().connected() || !self.shared.held().settle(token.number(), settlement) {
            return Err(Stale);
        }
        match settlement {
            Settlement::Ack => self.courier.call(&self.shared),
            // It waits again, so that what was said before no longer holds.
            Settlement::Release => self.caught_up = false,
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.check()?;
        self.courier.flush().await
    }

    async fn close(mut self: Box<Self>) -> Result<usize, BrokerError> {
        let flushed = self.flush().await;
        let unsettled = self.shared.held().unsettled();
        self.courier.leave(self.stream.take()).await;
        flushed.map(|()| unsettled)
    }
}
