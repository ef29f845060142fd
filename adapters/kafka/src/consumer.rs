//! A reader of one lane: takes from its partitions' own queues, and settles by watermark.

use crate::{
    ask::{self, Place},
    commits::Mark,
    connection::Connection,
    ends::Topic,
    errors::{closed, refused, sort, unavailable},
    group::{Client, Group, Listener},
    lane::Lane,
    note::{Standing, origin},
    once::Turn,
    settlement::{Arrival, Settlements, Source},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use oms_core::{
    broker::{Batch, BrokerError, Consumer, Delivery, Settlement, Stale, Token},
    message::{GroupLane, Limit},
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer as _, base_consumer::PartitionQueue},
    error::KafkaError,
};
use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

/// One topic's partition, and what is known of its end.
struct Inlet {
    queue: PartitionQueue<Listener>,
    at_end: bool,
}

type Inlets = Arc<Mutex<Vec<Inlet>>>;

fn lock(inlets: &Inlets) -> MutexGuard<'_, Vec<Inlet>> {
    inlets.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a lane; gives it back when it is dropped.
pub(crate) struct KafkaConsumer {
    connection: Arc<Connection>,
    group: Arc<Group>,
    lane: Arc<Lane>,
    sources: Inlets,
    held: Settlements,
    turn: usize,
    said_caught_up: bool,
    /// Until nothing is there for the first time, the brokers are asked; later the ends of fetches tell.
    question: Option<BoxFuture<'static, Result<Vec<i64>, BrokerError>>>,
    asked: bool,
    knows_ends: bool,
}

/// Joins a lane, taking it from an earlier reader of this connection. Blocks, in the group's turn.
pub(crate) fn join(
    connection: &Arc<Connection>,
    group: &Arc<Group>,
    wanted: &GroupLane,
    topics: Vec<Arc<Topic>>,
    window: Limit,
) -> Result<KafkaConsumer, BrokerError> {
    let (client, number) = (&group.client, wanted.lane);
    let earlier = group.shared.lanes().get(&number).cloned();
    if let Some(earlier) = earlier {
        earlier.give_up();
        group.shared.dismiss(client, &earlier);
    }
    let places: Vec<Place> = topics.into_iter().map(|topic| (topic, number)).collect();
    let standings = ask::committed(client, &places, connection.settings.timeout)?;
    let heard = places.into_iter().zip(standings).filter_map(|(place, at)| Some((place.0, at?)));
    let heard: Vec<(Arc<Topic>, Standing)> = heard.map(named).collect();
    let marks: Vec<Mark> = heard.iter().map(|(topic, at)| Mark::new(Arc::clone(topic), number, at)).collect();
    if marks.is_empty() {
        return Err(refused(format!(
            "lane {wanted} was never declared; declare a topology with this group and enough lanes"
        )));
    }
    let start = |(_, at): &(_, Standing)| Source::new(at.offset, at.note.ahead.clone());
    let held = Settlements::new(window, heard.iter().map(start).collect());
    let lane = Arc::new(Lane::new(number, marks));
    let mut assignment = TopicPartitionList::new();
    let mut sources = Vec::with_capacity(lane.marks.len());
    for (mark, (_, at)) in lane.marks.iter().zip(&heard) {
        // Before the assignment: what is fetched never goes to the client's common queue then.
        let queue = client.split_partition_queue(&mark.topic.wire, mark.partition());
        let mut queue = queue.ok_or_else(|| unavailable("the client gives no queue for a partition"))?;
        let woken = Arc::clone(&lane);
        queue.set_nonempty_callback(move || woken.waker.wake());
        let warm = group.shared.warm(client, &mark.topic.wire, connection.settings.timeout);
        warm.map_err(|error| sort(&error, "subscribing"))?;
        sources.push(Inlet { queue, at_end: false });
        assignment
            .add_partition_offset(&mark.topic.wire, mark.partition(), Offset::Offset(at.offset))
            .map_err(|error| sort(&error, "subscribing"))?;
    }
    let sources = lent(&lane, sources);
    group.shared.lanes().insert(number, Arc::clone(&lane));
    let joined = KafkaConsumer {
        connection: Arc::clone(connection),
        group: Arc::clone(group),
        lane,
        sources,
        held,
        turn: 0,
        said_caught_up: false,
        question: None,
        asked: false,
        knows_ends: false,
    };
    client.incremental_assign(&assignment).map_err(|error| sort(&error, "subscribing"))?;
    Ok(joined)
}

/// The lane lets go of them when another reader takes it over, and their reader does when it is dropped.
fn lent(lane: &Lane, inlets: Vec<Inlet>) -> Inlets {
    let inlets = Arc::new(Mutex::new(inlets));
    let lent = Arc::clone(&inlets);
    lane.on_release(move || lock(&lent).clear());
    inlets
}

/// An offset that somebody else has set, with their tools, gets an origin of ours.
fn named((topic, mut at): (Arc<Topic>, Standing)) -> (Arc<Topic>, Standing) {
    if at.note.origin.is_empty() {
        at.note.origin = origin();
    }
    (topic, at)
}

impl KafkaConsumer {
    /// Takes from the queues in turn until enough is here or they are empty.
    fn pull(&mut self, limit: Limit) {
        let Self { group, sources, held, lane, turn, .. } = self;
        let mut sources = lock(sources);
        let (count, mut empty) = (sources.len(), 0);
        while empty < count && held.wants(limit) {
            let at = *turn % count;
            let Some(source) = sources.get_mut(at) else { return };
            match source.queue.poll(Duration::ZERO) {
                None => {
                    empty += 1;
                    *turn += 1;
                }
                Some(Ok(message)) => {
                    empty = 0;
                    source.at_end = false;
                    let bytes = message.payload().map_or_else(Bytes::new, Bytes::copy_from_slice);
                    match held.arrive(at, message.offset(), bytes) {
                        Arrival::Waits => {}
                        Arrival::Skipped => note(lane, held, at),
                        Arrival::Again => {
                            lane.lose("the server went back to an earlier offset: the topic was made anew");
                            return;
                        }
                        Arrival::Gap => fetch_again(&group.client, lane, held, at),
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => source.at_end = true,
                // Whether the lane was lost by it is found out by the group's thread.
                Some(Err(error)) => tracing::debug!(%error, "a partition cannot be read for now"),
            }
        }
    }

    /// Whether nothing waits for this lane, as far as the brokers and this process know.
    fn caught_up(&self) -> bool {
        let at_end = |(at, source): (usize, &Inlet)| {
            let known = self.lane.marks.get(at).map_or(0, |mark| mark.topic.end(mark.lane));
            source.at_end && self.held.source(at).is_some_and(|held| held.next() >= known)
        };
        let sources = lock(&self.sources);
        !self.held.is_waiting() && !sources.is_empty() && sources.iter().enumerate().all(at_end)
    }

    fn say(&mut self, limit: Limit, context: &mut Context<'_>) -> Poll<Result<Batch, BrokerError>> {
        self.connection.open()?;
        // Before the queues are looked at, so that what comes in between wakes us.
        self.lane.waker.register(context.waker());
        loop {
            if let Some(why) = self.lane.lost() {
                return Poll::Ready(Err(unavailable(format!("the subscription was lost: {why}"))));
            }
            self.pull(limit);
            let brought = self.held.deliver(limit);
            let caught_up = self.caught_up();
            if !brought.is_empty() {
                self.said_caught_up = false;
                self.asked = self.knows_ends;
                let delivery = |(token, bytes)| Delivery { token: Token::new(token), bytes };
                let deliveries = brought.into_iter().map(delivery).collect();
                return Poll::Ready(Ok(Batch { deliveries, caught_up }));
            }
            if caught_up && !self.said_caught_up {
                self.said_caught_up = true;
                self.asked = true;
                self.knows_ends = true;
                return Poll::Ready(Ok(Batch { deliveries: Vec::new(), caught_up }));
            }
            if self.lane.is_lost() {
                continue;
            }
            if caught_up || !self.answered(context) {
                return Poll::Pending;
            }
        }
    }

    /// Asks how far the topics go, until everything was there once; true when the answer is new. Where many lanes
    /// begin at once one of them asks, and the others are told by their fetches just as soon.
    fn answered(&mut self, context: &mut Context<'_>) -> bool {
        if !self.asked && self.question.is_none() && self.held.wants(Limit::default()) {
            self.question = self.group.asking.begin().map(|one| self.question(one));
        }
        let Some(question) = &mut self.question else { return false };
        let Poll::Ready(ends) = question.poll_unpin(context) else { return false };
        self.question = None;
        self.asked = true;
        for (at, end) in ends.unwrap_or_default().into_iter().enumerate() {
            let here = self.held.source(at).is_some_and(|held| held.next() == end);
            if let Some(source) = lock(&self.sources).get_mut(at).filter(|_| here) {
                source.at_end = true;
            }
        }
        true
    }

    fn question(&self, one: Turn) -> BoxFuture<'static, Result<Vec<i64>, BrokerError>> {
        let places: Vec<Place> =
            self.lane.marks.iter().map(|mark| (Arc::clone(&mark.topic), mark.lane)).collect();
        let (live, timeout) = (self.connection.publisher.live(), self.connection.settings.timeout);
        self.group.ask(move || {
            let _one = one;
            ask::end_of_each(&live, &places, timeout)
        })
    }
}

/// Has a source fetched again from the offset that is expected next; what the client holds behind that is thrown away.
fn fetch_again(client: &Client, lane: &Lane, held: &Settlements, at: usize) {
    let (Some(mark), Some(source)) = (lane.marks.get(at), held.source(at)) else { return };
    let (topic, lane_number, next) = (&mark.topic.wire, lane.number, source.next());
    tracing::info!(topic, lane_number, next, "offsets were passed by, and are asked for again");
    // At once; what the client answers comes with its next message.
    if let Err(error) = client.seek(topic, mark.partition(), Offset::Offset(next), Duration::ZERO) {
        lane.lose(format!(
            "packs of {topic} from {next} on were passed by, and cannot be fetched again: {error}"
        ));
    }
}

/// Tells the committer what a source has come to.
fn note(lane: &Lane, held: &Settlements, at: usize) {
    if let (Some(mark), Some(source)) = (lane.marks.get(at), held.source(at)) {
        mark.want(source.watermark(), source.ahead());
    }
}

#[async_trait]
impl Consumer for KafkaConsumer {
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError> {
        // What is taken from the client is kept here until the poll that delivers it, so a dropped wait loses none.
        poll_fn(|context| self.say(limit, context)).await
    }

    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale> {
        if self.lane.is_lost() {
            return Err(Stale);
        }
        let moved = self.held.settle(token.number(), settlement).ok_or(Stale)?;
        if settlement == Settlement::Release {
            self.lane.waker.wake();
        }
        if let Some(at) = moved {
            note(&self.lane, &self.held, at);
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BrokerError> {
        self.connection.open()?;
        self.group.flush(&self.lane).await
    }

    async fn close(self: Box<Self>) -> Result<usize, BrokerError> {
        if self.connection.open().is_err() {
            return Err(closed());
        }
        self.group.flush(&self.lane).await?;
        Ok(self.held.unsettled())
    }
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        // The queues first: the client must not call back for a lane that somebody else may join now.
        lock(&self.sources).clear();
        self.lane.leave();
    }
}
