//! Brings settlements to the server, from a task of its own: settling is a plain call.

use crate::{
    errors::{sort, unavailable},
    held::Held,
    talk::look,
};
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicCancelOptions},
};
use oms_core::broker::BrokerError;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// What the reader and its courier share.
pub(crate) struct Shared {
    held: Mutex<Held>,
    /// The courier was called and has not come yet.
    called: AtomicBool,
}

impl Shared {
    pub(crate) fn new(held: Held) -> Arc<Self> {
        Arc::new(Self { held: Mutex::new(held), called: AtomicBool::new(false) })
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a courier is asked.
enum Errand {
    /// Bring what there is.
    Bring,
    /// Bring what there is, and say when the server has read it.
    Flush(oneshot::Sender<Result<(), BrokerError>>),
    /// Bring what there is, give the rest back, and say when the server has read it.
    ///
    /// The reader comes along: dropped by itself it cancels itself from a task of its own, on a channel that may be another's by
    /// then, which costs the connection.
    Leave(Option<lapin::Consumer>, Option<oneshot::Sender<()>>),
}

/// The way to a courier.
pub(crate) struct Courier {
    errands: mpsc::UnboundedSender<Errand>,
    patience: Duration,
}

impl Courier {
    /// Starts one for a channel on which one queue is read. It closes the channel in the end.
    pub(crate) fn start(channel: Channel, queue: String, shared: Arc<Shared>, patience: Duration) -> Self {
        let (errands, asked) = mpsc::unbounded_channel();
        tokio::spawn(run(channel, queue, shared, patience, asked));
        Self { errands, patience }
    }

    /// Something was settled; many calls at once are one errand.
    pub(crate) fn call(&self, shared: &Shared) {
        if !shared.called.swap(true, Ordering::AcqRel) {
            let _ = self.errands.send(Errand::Bring);
        }
    }

    /// Waits until the server has read everything that was settled.
    pub(crate) async fn flush(&self) -> Result<(), BrokerError> {
        let (done, told) = oneshot::channel();
        let _ = self.errands.send(Errand::Flush(done));
        let told = timeout(self.patience, told).await;
        told.ok()
            .and_then(Result::ok)
            .unwrap_or_else(|| Err(unavailable("settlements had no answer in time")))
    }

    /// Gives everything back that is not settled, and waits for that.
    pub(crate) async fn leave(&self, reader: Option<lapin::Consumer>) {
        let (done, told) = oneshot::channel();
        let _ = self.errands.send(Errand::Leave(reader, Some(done)));
        let _ = timeout(self.patience, told).await;
    }

    /// Gives everything back that is not settled, soon.
    pub(crate) fn dismiss(&self, reader: Option<lapin::Consumer>) {
        let _ = self.errands.send(Errand::Leave(reader, None));
    }
}

async fn run(
    channel: Channel,
    queue: String,
    shared: Arc<Shared>,
    patience: Duration,
    mut asked: mpsc::UnboundedReceiver<Errand>,
) {
    let (mut reader, mut left) = (None, None);
    while let Some(errand) = asked.recv().await {
        match errand {
            Errand::Bring => {
                let _ = bring(&channel, &shared).await;
            }
            Errand::Flush(done) => {
                let _ = done.send(flush(&channel, &queue, &shared, patience).await);
            }
            Errand::Leave(its, done) => {
                (reader, left) = (its, done);
                break;
            }
        }
    }
    if let Some(reader) = &reader {
        let cancelled = channel.basic_cancel(reader.tag(), BasicCancelOptions::default());
        let _ = timeout(patience, cancelled).await;
    }
    let _ = bring(&channel, &shared).await;
    // The server puts back what a closed channel held.
    let _ = timeout(patience, channel.close(200, "the reader leaves".into())).await;
    drop(reader);
    if let Some(left) = left {
        let _ = left.send(());
    }
}

/// Tells the server what is acked. A channel that is gone takes its settlements with it: what they settled is delivered again.
async fn bring(channel: &Channel, shared: &Shared) -> Result<(), BrokerError> {
    shared.called.store(false, Ordering::Release);
    let acks = shared.held().acks();
    let all =
        acks.up_to.map(|tag| (tag, true)).into_iter().chain(acks.single.into_iter().map(|tag| (tag, false)));
    for (tag, multiple) in all {
        let told = channel.basic_ack(tag, BasicAckOptions { multiple }).await;
        told.map_err(|error| sort(&error, "settling"))?;
    }
    Ok(())
}

/// The server reads a channel in order: when it answers a question, it has read all acks before it.
async fn flush(
    channel: &Channel,
    queue: &str,
    shared: &Shared,
    patience: Duration,
) -> Result<(), BrokerError> {
    bring(channel, shared).await?;
    let answered = timeout(patience, look(channel, queue)).await;
    let answered = answered.map_err(|_| unavailable("settlements had no answer in time"))?;
    answered.map(drop).map_err(|error| unavailable(format!("settling: {error}")))
}
