//! Reads one lane of one group, over all topics that the group hears.

use crate::{
    connection::Shared,
    courier::{self, ACK, Errand, Flight, NAK},
    declare,
    errors::unavailable,
    names,
    part::{Heard, Part},
};
use async_nats::Message;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use oms_core::{
    broker::{Batch, BrokerError, Consumer, Delivery, Settlement, Stale, Token},
    id::Name,
    message::{GroupLane, Limit},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

/// A reader of one lane.
pub(crate) struct NatsConsumer {
    connection: Shared,
    parts: Vec<Part>,
    /// What came and was not yet given out; it is in flight too.
    waiting: VecDeque<(u64, Bytes)>,
    flight: Arc<Flight>,
    errands: mpsc::UnboundedSender<Errand>,
    losses: watch::Receiver<u64>,
    joined_at: u64,
    /// Where the last settlement of each part went, until a flush.
    unflushed: Vec<Option<async_nats::Subject>>,
    /// When each part's durable was made: one of the same name made later is not ours.
    born: Vec<(Name, Value)>,
    durable: String,
    of_token: BTreeMap<u64, usize>,
    window: Limit,
    tokens: u64,
    caught_up: bool,
}

/// Joins a lane that is there on `topics`.
pub(crate) async fn join(
    connection: Shared,
    topics: Vec<(Name, Value)>,
    lane: &GroupLane,
    window: Limit,
    (losses, joined_at): (watch::Receiver<u64>, u64),
) -> Result<NatsConsumer, BrokerError> {
    let (mut parts, mut born) = (Vec::new(), Vec::new());
    for (topic, info) in topics {
        born.push((topic.clone(), info["created"].clone()));
        let inbox = connection.client.new_inbox();
        let subscribed = connection.client.subscribe(format!("{inbox}.*")).await;
        let subscriber = subscribed.map_err(|error| unavailable(format!("subscribing: {error}")))?;
        let stream = names::stream(&connection.settings.prefix, &topic);
        parts.push(Part::new(subscriber, &stream, &names::durable_of(lane), inbox));
    }
    let flight = Arc::new(Flight::default());
    let errands = courier::start(connection.client.clone(), Arc::clone(&flight), connection.settings.lease);
    let unflushed = vec![None; parts.len()];
    Ok(NatsConsumer {
        connection,
        parts,
        waiting: VecDeque::new(),
        flight,
        errands,
        losses,
        joined_at,
        unflushed,
        born,
        durable: names::durable_of(lane),
        of_token: BTreeMap::new(),
        window,
        tokens: 0,
        caught_up: false,
    })
}

impl NatsConsumer {
    fn is_lost(&self) -> bool {
        *self.losses.borrow() != self.joined_at
    }

    fn check(&self) -> Result<(), BrokerError> {
        self.connection.check()?;
        if self.is_lost() { Err(unavailable("the subscription was lost; subscribe again")) } else { Ok(()) }
    }

    /// Notes what one part received.
    fn take(&mut self, at: usize, message: Message) -> Result<(), BrokerError> {
        match self.parts[at].take(message) {
            Heard::Nothing => Ok(()),
            Heard::Lost(why) => {
                self.connection.lost();
                Err(unavailable(why))
            }
            Heard::Pack(message) => {
                let Some(reply) = message.reply else { return Ok(()) };
                self.tokens += 1;
                self.flight.lock().insert(self.tokens, (reply, message.payload.len()));
                self.of_token.insert(self.tokens, at);
                self.waiting.push_back((self.tokens, message.payload));
                Ok(())
            }
        }
    }

    /// What is given out and not settled: how many, and how many bytes.
    fn given(&self) -> (usize, usize) {
        let flight = self.flight.lock();
        let waiting: usize = self.waiting.iter().map(|(_, bytes)| bytes.len()).sum();
        let all: usize = flight.values().map(|(_, size)| size).sum();
        (flight.len() - self.waiting.len(), all - waiting)
    }

    /// Gives out what fits.
    fn give(&mut self, limit: Limit) -> Vec<Delivery> {
        let (mut count, mut size) = self.given();
        let (mut brought, mut bytes) = (Vec::new(), 0);
        while let Some((_, next)) = self.waiting.front() {
            let more = next.len();
            let fits = brought.is_empty() || (brought.len() < limit.messages && bytes + more <= limit.bytes);
            let room = count == 0 || (count < self.window.messages && size + more <= self.window.bytes);
            if !fits || !room {
                break;
            }
            let Some((token, content)) = self.waiting.pop_front() else { break };
            (count, size, bytes) = (count + 1, size + more, bytes + more);
            brought.push(Delivery { token: Token::new(token), bytes: content });
        }
        brought
    }

    /// Asks every part that may have something; whether all have said that they have nothing.
    async fn pull(&mut self) -> Result<bool, BrokerError> {
        let client = self.connection.client.clone();
        let patience = self.connection.settings.timeout;
        let (_, size) = self.given();
        let unsettled = self.flight.lock().len();
        let mut all_dry = true;
        for at in 0..self.parts.len() {
            let asked: usize = self.parts.iter().map(Part::asked).sum();
            let room = self.window.messages.max(1).saturating_sub(unsettled + asked);
            let bytes = self.window.bytes.saturating_sub(size).max(self.connection.max_bytes + 4_096);
            let part = &mut self.parts[at];
            if part.is_asking() {
                all_dry = false;
            } else if part.dry {
                // Every topic is listened to, however narrow the window: what comes beyond it waits here.
                if self.caught_up && !part.is_waiting() && !part.wait(&client).await {
                    return Err(unavailable("the client is closed"));
                }
            } else {
                all_dry = false;
                if room > 0 && !part.ask(&client, room, bytes, patience).await {
                    return Err(unavailable("the client is closed"));
                }
            }
        }
        Ok(all_dry)
    }

    /// The next that any part receives.
    async fn hear(&mut self) -> (usize, Option<Message>) {
        poll_fn(|context| {
            for (at, part) in self.parts.iter_mut().enumerate() {
                if let Poll::Ready(message) = part.subscriber.poll_next_unpin(context) {
                    return Poll::Ready((at, message));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until the server says anything, the subscription is lost, or the server has been silent too long.
    async fn listen(&mut self) -> Result<(), BrokerError> {
        let due = self.parts.iter().filter_map(Part::due).min();
        let far = Instant::now() + Duration::from_secs(3_600);
        let mut losses = self.losses.clone();
        let joined_at = self.joined_at;
        let heard = tokio::select! {
            biased;
            _ = losses.wait_for(|losses| *losses != joined_at) => return self.check(),
            heard = self.hear() => Some(heard),
            () = sleep_until(due.unwrap_or(far)) => None,
        };
        match heard {
            Some((at, Some(message))) => self.take(at, message),
            Some((_, None)) => Err(unavailable("the subscription ended")),
            None if due.is_some() => Err(unavailable("the server is silent")),
            None => Ok(()),
        }
    }

    /// Fails when the server has forgotten a durable, even if another of its name was made since.
    async fn same(&self) -> Result<(), BrokerError> {
        for (at, (topic, born)) in self.born.iter().enumerate() {
            if self.unflushed[at].is_none() {
                continue;
            }
            let info = declare::consumer(&self.connection, topic, &self.durable).await?;
            if info.is_none_or(|info| info["created"] != *born) {
                self.connection.lost();
            }
        }
        Ok(())
    }

    /// Has the courier release everything; a second time it is gone already.
    fn leave(&mut self, done: Option<oneshot::Sender<()>>) {
        let _ = self.errands.send(Errand::Leave(std::mem::take(&mut self.parts), done));
    }

    /// Takes what is already here, without waiting.
    fn gather(&mut self) -> Result<(), BrokerError> {
        use futures::FutureExt;
        while let Some((at, message)) = self.hear().now_or_never() {
            let message = message.ok_or_else(|| unavailable("the subscription ended"))?;
            self.take(at, message)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Consumer for NatsConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        loop {
            self.check()?;
            self.gather()?;
            let deliveries = self.give(limit);
            if !deliveries.is_empty() {
                self.caught_up = false;
                // Something came: what was dry then may not be so now.
                self.parts.iter_mut().for_each(|part| part.dry = false);
                return Ok(Batch { deliveries, caught_up: false });
            }
            let all_dry = self.pull().await?;
            if all_dry && self.waiting.is_empty() && !self.caught_up {
                self.caught_up = true;
                return Ok(Batch { deliveries, caught_up: true });
            }
            self.listen().await?;
        }
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        if self.is_lost() {
            return Err(Stale);
        }
        let (reply, _) = self.flight.lock().remove(&token.number()).ok_or(Stale)?;
        let what = match settlement {
            Settlement::Ack => ACK,
            Settlement::Release => {
                // It waits again, so that what was said before no longer holds.
                self.caught_up = false;
                self.parts.iter_mut().for_each(|part| part.dry = false);
                NAK
            }
        };
        if let Some(at) = self.of_token.remove(&token.number()) {
            self.unflushed[at] = Some(reply.clone());
        }
        self.errands.send(Errand::Settle(reply, what)).map_err(|_| Stale)
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.check()?;
        let asked: Vec<async_nats::Subject> = self.unflushed.iter().flatten().cloned().collect();
        let inbox = self.connection.client.new_inbox();
        let patience = self.connection.settings.timeout;
        if !asked.is_empty() {
            let subscribed = self.connection.client.subscribe(inbox.clone()).await;
            let mut answers = subscribed.map_err(|error| unavailable(format!("subscribing: {error}")))?;
            let count = asked.len();
            for reply in asked {
                let _ = self.errands.send(Errand::Ask(reply, inbox.clone()));
            }
            for _ in 0..count {
                let answer = timeout(patience, answers.next()).await.ok().flatten();
                let answer = answer.ok_or_else(|| unavailable("settlements had no answer in time"))?;
                if answer.status.is_some_and(|status| status == async_nats::StatusCode::NO_RESPONDERS) {
                    self.connection.lost();
                }
            }
            self.same().await?;
            self.check()?;
        }
        self.unflushed.fill(None);
        Ok(())
    }

    async fn close(mut self: Box<Self>) -> Result<usize, BrokerError> {
        let flushed = self.flush().await;
        let (held, _) = self.given();
        let (done, left) = oneshot::channel();
        self.leave(Some(done));
        let _ = timeout(self.connection.settings.timeout, left).await;
        flushed.map(|()| held)
    }
}

impl Drop for NatsConsumer {
    fn drop(&mut self) {
        self.leave(None);
    }
}
