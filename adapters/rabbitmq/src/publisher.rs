//! Publishes packs, each call on a channel that nobody else has meanwhile: the client credits confirms to the wrong message where
//! several tasks share one.

use crate::{
    errors::unavailable,
    line::{Line, channel},
    names,
    talk::{Item, Talk},
};
use futures::poll;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use oms_core::{
    broker::{BrokerError, Publish, Topology},
    id::Name,
    message::Pack,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// How many calls publish at once; more wait.
const CALLS: u32 = 16;
/// A message that the server keeps over a restart.
const PERSISTENT: u8 = 2;

/// Whether anybody hears a topic; known for what was declared or found here.
type Known = BTreeMap<Name, Heard>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// No group of ours: where it goes, if anywhere, is the affair of those outside.
    ByNobody,
    /// By a group, or nobody here knows.
    Perhaps,
}

/// A channel on which publishes are confirmed, and the connection that it is of.
struct Confirming {
    channel: Channel,
    connection: Arc<Connection>,
}

pub(crate) struct Publisher {
    line: Arc<Line>,
    idle: Mutex<Vec<Confirming>>,
    calls: Semaphore,
    known: Mutex<Known>,
}

/// What a publish that is under way comes to.
type Flight = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Publisher {
    pub(crate) fn new(line: Arc<Line>) -> Self {
        Self { line, idle: Mutex::default(), calls: Semaphore::new(CALLS as usize), known: Mutex::default() }
    }

    /// Remembers what was declared.
    pub(crate) fn learn(&self, topology: &Topology) {
        let mut known = lock(&self.known);
        for topic in names::topics(topology) {
            let heard = topology.hearers(&topic).next().map_or(Heard::ByNobody, |_| Heard::Perhaps);
            let entry = known.entry(topic).or_insert(heard);
            if heard == Heard::Perhaps {
                *entry = heard;
            }
        }
    }

    /// Publishes in order; one answer for each.
    pub(crate) async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        if packs.is_empty() {
            return Ok(Vec::new());
        }
        let patience = self.line.settings.timeout;
        let late = |_| unavailable("too many publishes wait for the server");
        let _call = timeout(patience, self.calls.acquire()).await.map_err(late)?;
        let known = self.routes(&packs).await?;
        let confirming = self.channel(patience).await?;
        let mut answers = vec![Publish::Unknown; packs.len()];
        // What has no answer by then is unknown.
        let sent =
            timeout(patience, send(&self.line, &confirming.channel, &known, packs, &mut answers)).await;
        match sent {
            Ok(true) => lock(&self.idle).push(confirming),
            // Somebody may have taken the topology away.
            Ok(false) | Err(_) => lock(&self.known).clear(),
        }
        Ok(answers)
    }

    /// What is known of the topics of these packs; what is not known is asked for. An exchange that is not there would cost the
    /// channel, and with it every confirm that is still awaited.
    async fn routes(&self, packs: &[Pack]) -> Result<Known, BrokerError> {
        let topics: BTreeSet<&Name> = packs.iter().map(|pack| &pack.topic).collect();
        let mut talk = Talk::new(&self.line);
        for topic in topics {
            if lock(&self.known).contains_key(topic) {
                continue;
            }
            let exchange = Item::Exchange { name: names::exchange(&self.line.settings.prefix, topic) };
            if talk.exists(&exchange).await? {
                lock(&self.known).insert(Name::clone(topic), Heard::Perhaps);
            }
        }
        Ok(lock(&self.known).clone())
    }

    /// A channel of the connection that lives now.
    async fn channel(&self, patience: Duration) -> Result<Confirming, BrokerError> {
        let connection = self.line.get().await?;
        loop {
            let Some(idle) = lock(&self.idle).pop() else { break };
            if Arc::ptr_eq(&idle.connection, &connection) && idle.channel.status().connected() {
                return Ok(idle);
            }
        }
        let channel = channel(&connection, patience).await?;
        let confirmed = timeout(patience, channel.confirm_select(ConfirmSelectOptions::default())).await;
        let confirmed = confirmed.map_err(|_| unavailable("asking for confirms took too long"))?;
        confirmed.map_err(|error| unavailable(format!("asking for confirms: {error}")))?;
        Ok(Confirming { channel, connection })
    }

    /// Waits until nothing is being published any more.
    pub(crate) async fn finished(&self) {
        let _ = self.calls.acquire_many(CALLS).await;
    }
}

/// Sends in order and notes the answers as they come; whether each has one, so that the channel may be used again.
async fn send(
    line: &Line,
    channel: &Channel,
    known: &Known,
    packs: Vec<Pack>,
    answers: &mut [Publish],
) -> bool {
    let mut flights: VecDeque<(usize, Heard, Flight)> = VecDeque::new();
    let mut whole = true;
    for (at, pack) in packs.into_iter().enumerate() {
        let heard = match unfit(line, known, &pack) {
            Ok(heard) => heard,
            Err(why) => {
                answers[at] = Publish::Rejected { for_good: true, why: why.into() };
                continue;
            }
        };
        let mut flight = launch(&line.settings.prefix, channel.clone(), pack);
        // Looked at once, it has handed its frames to the client, in their order; its answer comes later.
        match poll!(&mut flight) {
            Poll::Ready(answer) => whole &= note(&mut answers[at], heard, answer),
            Poll::Pending => flights.push_back((at, heard, flight)),
        }
        if flights.len() >= line.settings.window
            && let Some((at, heard, flight)) = flights.pop_front()
        {
            whole &= note(&mut answers[at], heard, flight.await);
        }
    }
    for (at, heard, flight) in flights {
        whole &= note(&mut answers[at], heard, flight.await);
    }
    whole
}

/// One publish, from its frames to its confirm.
fn launch(prefix: &str, channel: Channel, pack: Pack) -> Flight {
    let exchange = names::exchange(prefix, &pack.topic);
    Box::pin(async move {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let key = pack.lane.to_string().into();
        let sent = channel.basic_publish(exchange.into(), key, options, &pack.bytes, properties).await?;
        sent.await
    })
}

/// Notes what became of one pack; whether the server has said it.
fn note(answer: &mut Publish, heard: Heard, said: lapin::Result<Confirmation>) -> bool {
    *answer = match said {
        Ok(Confirmation::Ack(None)) => Publish::Confirmed,
        // Returned, because no queue wants it: which is as it should be where there is none.
        Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) if heard == Heard::ByNobody => {
            Publish::Confirmed
        }
        Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => {
            let why = "unroutable: no queue takes this lane of this topic; declare the topology again";
            Publish::Rejected { for_good: true, why: why.into() }
        }
        Ok(Confirmation::Nack(None)) => {
            Publish::Rejected { for_good: false, why: "the server could not store it; try again".into() }
        }
        Ok(Confirmation::NotRequested) => Publish::Unknown,
        Err(error) => {
            tracing::debug!(%error, "a publish has no answer");
            *answer = Publish::Unknown;
            return false;
        }
    };
    true
}

/// Why a pack can never be taken, or who hears it.
fn unfit(line: &Line, known: &Known, pack: &Pack) -> Result<Heard, String> {
    let (size, most, topic) = (pack.bytes.len(), line.settings.max_bytes, &pack.topic);
    let Some(heard) = known.get(topic) else {
        return Err(format!("unroutable: declare topic {topic} first, with a group that hears it"));
    };
    if size > most {
        return Err(format!(
            "too large: {size} bytes, and at most {most} are taken; split the pack, or raise max-bytes"
        ));
    }
    Ok(*heard)
}
