//! The in-process broker as its users hold it: the port over a connection.

use super::{
    super::{Broker, BrokerError, Capabilities, Confirm, Consumer, Publish, Topology},
    connection::{Connection, NAME},
    consumer::MemoryConsumer,
    lane,
    limits::MemoryLimits,
    wire::Wire,
};
use crate::message::{GroupLane, Limit, Pack};
use async_trait::async_trait;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

/// A connection to a broker in the memory of this process.
///
/// A publish clones [`bytes::Bytes`], never their content. Packs of one lane are delivered in the order in which
/// they were published; what is released, or left unsettled by a consumer that is dropped, returns to its place.
/// The second subscriber of a lane waits until the first is gone.
///
/// **Full.** A pack that does not fit into [`MemoryLimits`] in every group that hears it is stored for none, and
/// answered at once with [`Publish::Rejected`], not for good: the publisher decides how long to wait, and one
/// stalled lane does not hold up the others. Packs behind it in the same call, for the same topic and lane, are
/// rejected too, so that they do not overtake it.
///
/// **Sharing.** Two who hold one `Arc` of it share one connection, and its [`Broker::shutdown`].
/// [`MemoryBroker::another`] is another connection to the same broker, closed on its own.
///
/// ```
/// # #[cfg(feature = "conformance")]
/// use oms_core::{
///     broker::{Broker, MemoryBroker, Publish, Settlement, Topology},
///     conformance::Stage,
///     message::{GroupLane, Limit, Pack, PackId},
/// };
/// # #[cfg(not(feature = "conformance"))]
/// # fn main() {}
/// # #[cfg(feature = "conformance")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// Stage::default().run(async {
///     let broker = MemoryBroker::default();
///     let hears = [("payment".into(), ["order".into()].into())].into();
///     broker.declare(&Topology { hears, lanes: 4, ..Topology::default() }).await?;
///
///     let id = PackId { sender: GroupLane::new("order", 0), position: 1 };
///     let pack = Pack { id, topic: "order".into(), lane: 3, keys: vec![7], bytes: "hello".into() };
///     assert_eq!(broker.publish(vec![pack]).await?, [Publish::Confirmed]);
///
///     let mut consumer = broker.subscribe(&GroupLane::new("payment", 3), Limit::default()).await?;
///     let batch = consumer.next_batch(Limit::default()).await?;
///     for delivery in batch.deliveries {
///         assert_eq!(delivery.bytes, "hello");
///         consumer.settle(delivery.token, Settlement::Ack)?;
///     }
///     consumer.flush().await?;
/// #   Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok(())
/// # }
/// ```
pub struct MemoryBroker {
    connection: Arc<Connection>,
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new(MemoryLimits::default())
    }
}

impl MemoryBroker {
    /// Starts a broker that holds nothing, and connects to it.
    ///
    /// Limits that contradict each other are widened: a lane holds at least the largest pack, and all lanes
    /// together at least one. A pack whose copies for all its hearers exceed `total` is rejected for good.
    #[must_use]
    pub fn new(limits: MemoryLimits) -> Self {
        let lane = limits.lane.max(limits.pack.saturating_add(lane::OVERHEAD));
        let limits = MemoryLimits { lane, total: limits.total.max(lane), ..limits };
        Self::connect(Arc::new(Mutex::new(Wire::new(limits))), limits)
    }

    /// Another connection to the same broker, as another process would have; open, even if this one is closed.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::connect(Arc::clone(&self.connection.wire), self.connection.limits)
    }

    fn connect(wire: Arc<Mutex<Wire>>, limits: MemoryLimits) -> Self {
        let id = wire.lock().unwrap_or_else(PoisonError::into_inner).number();
        Self { connection: Arc::new(Connection { id, wire, limits, closed: AtomicBool::new(false) }) }
    }

    /// How many bytes wait, unacked, in all lanes, as [`MemoryLimits`] counts them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.connection.wire().held()
    }

    /// Forgets every pack and the topology, as a server whose disk was wiped; for tests and simulations.
    ///
    /// Every subscription is lost: its consumer says [`BrokerError::Unavailable`]. Connections stay open.
    pub fn wipe(&self) {
        let wakers = self.connection.wire().wipe();
        wakers.into_iter().for_each(Waker::wake);
    }
}

fn undeclared(lane: &GroupLane) -> BrokerError {
    let why = format!("lane {lane} was never declared; declare a topology with this group and enough lanes");
    BrokerError::Refused { broker: NAME, why }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: NAME,
            confirm: Confirm::Memory,
            outlives_process: false,
            exact_lag: true,
            exclusive_reader: true,
            max_bytes: self.connection.limits.pack,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.connection.open()?;
        let declared = self.connection.wire().declare(topology);
        declared.map_err(|why| BrokerError::Refused { broker: NAME, why })
    }

    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError> {
        self.connection.open()?;
        let (answers, wakers) = self.connection.wire().publish(packs);
        wakers.into_iter().for_each(Waker::wake);
        Ok(answers)
    }

    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError> {
        let mut wire = self.connection.wire();
        // Asked behind the lock: a shutdown at this moment would miss a reader that joins after it.
        self.connection.open()?;
        let reader = wire.number();
        wire.lane(lane).ok_or_else(|| undeclared(lane))?.join(reader, self.connection.id, window);
        drop(wire);
        Ok(Box::new(MemoryConsumer::new(Arc::clone(&self.connection), lane.clone(), reader)))
    }

    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError> {
        self.connection.open()?;
        let lag = self.connection.wire().lane(lane).map(|lane| lane.lag());
        lag.map(|lag| lag as u64).ok_or_else(|| undeclared(lane))
    }

    async fn probe(&self) -> Result<(), BrokerError> {
        self.connection.open()?;
        if self.connection.wire().has_room() {
            return Ok(());
        }
        let why = "it is full; it takes packs again when some of those that wait are acked";
        Err(BrokerError::Unavailable { broker: NAME, source: why.into() })
    }

    /// Closes this connection, at once, since a publish here is done before it answers. Its consumers lose
    /// their lanes, which releases what they have not settled.
    async fn shutdown(&self, _drain: Duration) -> Result<(), BrokerError> {
        self.connection.open()?;
        self.connection.closed.store(true, Ordering::SeqCst);
        let wakers = self.connection.wire().disconnect(self.connection.id);
        wakers.into_iter().for_each(Waker::wake);
        Ok(())
    }
}
