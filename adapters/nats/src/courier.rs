//! Carries settlements to the server, and renews the leases of what is unsettled; a task beside each consumer.

use crate::part::{Heard, Part};
use async_nats::{Client, Subject};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

/// Never deliver it again.
pub(crate) const ACK: &[u8] = b"+ACK";
/// Deliver it again, now.
pub(crate) const NAK: &[u8] = b"-NAK";
/// It is still being worked on.
pub(crate) const PROGRESS: &[u8] = b"+WPI";

/// What is unsettled: where its settlement goes, and how large it is, by its token.
#[derive(Default)]
pub(crate) struct Flight(Mutex<BTreeMap<u64, (Subject, usize)>>);

impl Flight {
    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, (Subject, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a consumer tells its courier.
pub(crate) enum Errand {
    /// Bring this settlement.
    Settle(Subject, &'static [u8]),
    /// Bring this, and have the server answer there: what was brought before has then been read.
    Ask(Subject, String),
    /// The consumer is gone: release what it held, and what still arrives for it; then the sender is dropped.
    Leave(Vec<Part>, Option<oneshot::Sender<()>>),
}

/// Starts a courier; it ends when its errands do.
pub(crate) fn start(client: Client, flight: Arc<Flight>, lease: Duration) -> mpsc::UnboundedSender<Errand> {
    let (sender, errands) = mpsc::unbounded_channel();
    tokio::spawn(run(client, flight, lease / 3, errands));
    sender
}

async fn run(
    client: Client,
    flight: Arc<Flight>,
    every: Duration,
    mut errands: mpsc::UnboundedReceiver<Errand>,
) {
    let mut beat = time::interval_at(time::Instant::now() + every, every);
    loop {
        tokio::select! {
            biased;
            errand = errands.recv() => match errand {
                None => return,
                Some(Errand::Leave(parts, _done)) => return leave(&client, &flight, parts).await,
                Some(errand) => bring(&client, errand).await,
            },
            _ = beat.tick() => {
                let held: Vec<Subject> = flight.lock().values().map(|(reply, _)| reply.clone()).collect();
                for reply in held {
                    bring(&client, Errand::Settle(reply, PROGRESS)).await;
                }
            }
        }
    }
}

/// A connection that is gone takes its settlements with it: what they settled is delivered again.
async fn bring(client: &Client, errand: Errand) {
    let sent = match errand {
        Errand::Settle(reply, what) => client.publish(reply, Bytes::from_static(what)).await,
        Errand::Ask(reply, answer) => {
            client.publish_with_reply(reply, answer, Bytes::from_static(PROGRESS)).await
        }
        Errand::Leave(..) => Ok(()),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "a settlement was not brought; its pack is delivered again");
    }
}

/// How long a pull that brings what is there may take to end.
const ENDS: Duration = Duration::from_secs(1);

/// What is asked for comes first, then the server is told that nobody listens any more, and only then is everything released:
/// it reads all this in order, and gives nothing back to a pull of this consumer. A pack that the server sends in the very
/// moment between comes again when its lease has run out.
async fn leave(client: &Client, flight: &Flight, mut parts: Vec<Part>) {
    let mut held: Vec<Subject> =
        std::mem::take(&mut *flight.lock()).into_values().map(|(reply, _)| reply).collect();
    for part in &mut parts {
        while part.is_asking() {
            let Ok(Some(message)) = time::timeout(ENDS, part.subscriber.next()).await else { break };
            keep(part, message, &mut held);
        }
        let _ = part.subscriber.unsubscribe().await;
        while let Some(Some(message)) = part.subscriber.next().now_or_never() {
            keep(part, message, &mut held);
        }
    }
    for reply in held {
        bring(client, Errand::Settle(reply, NAK)).await;
    }
    // This may be the last that holds the client, and a client that is dropped forgets what it has not written.
    let _ = time::timeout(ENDS, client.flush()).await;
}

fn keep(part: &mut Part, message: async_nats::Message, held: &mut Vec<Subject>) {
    if let Heard::Pack(message) = part.take(message) {
        held.extend(message.reply);
    }
}
