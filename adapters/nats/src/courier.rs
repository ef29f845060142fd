//! Carries settlements to the server, and renews the leases of what is unsettled; a task beside each consumer.

use async_nats::{Client, Subject, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time};

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
    /// The consumer is gone: release what it held, and what still arrives for it.
    Leave(Vec<Subscriber>),
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
                Some(Errand::Leave(parts)) => return leave(&client, &flight, parts).await,
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
        Errand::Leave(_) => Ok(()),
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "a settlement was not brought; its pack is delivered again");
    }
}

async fn leave(client: &Client, flight: &Flight, parts: Vec<Subscriber>) {
    let held = std::mem::take(&mut *flight.lock());
    for (reply, _) in held.into_values() {
        bring(client, Errand::Settle(reply, NAK)).await;
    }
    for mut part in parts {
        let _ = part.unsubscribe().await;
        while let Ok(Some(message)) = time::timeout(Duration::from_secs(1), part.next()).await {
            if let Some(reply) = message.reply.filter(|_| message.status.is_none()) {
                bring(client, Errand::Settle(reply, NAK)).await;
            }
        }
    }
}
