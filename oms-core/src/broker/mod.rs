//! The port to message brokers: a wire that carries packs, and may duplicate, forget or reorder them.
//!
//! ```
//! use futures::FutureExt;
//! use oms_core::broker::{Broker, Confirm, MemoryBroker, Topology};
//! let broker = MemoryBroker::default();
//! assert_eq!(broker.capabilities().confirm, Confirm::Memory);
//! let hears = [("payment".into(), ["order".into()].into())].into();
//! let declared = broker.declare(&Topology { hears, lanes: 4, ..Topology::default() }).now_or_never();
//! assert!(matches!(declared, Some(Ok(()))));
//! ```

mod memory;
mod per_service;

pub use memory::{MemoryBroker, MemoryLimits};
pub use per_service::PerService;

use crate::id::Name;
use crate::message::{GroupLane, Limit, Pack};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

type Source = Box<dyn Error + Send + Sync>;

/// Why a broker does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It may come back: wait, and probe.
    #[error("the {broker} broker is unavailable; check that it runs and can be reached")]
    Unavailable {
        /// Which broker.
        broker: &'static str,
        /// What its client said.
        #[source]
        source: Source,
    },
    /// It will not change its mind: wrong credentials, a topology that differs, an argument it cannot take.
    #[error("the {broker} broker refuses: {why}")]
    Refused {
        /// Which broker.
        broker: &'static str,
        /// What to do.
        why: String,
    },
    /// It was shut down by this process.
    #[error("the {broker} broker was shut down by this process; connect again")]
    Closed {
        /// Which broker.
        broker: &'static str,
    },
}

/// What became of one published pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publish {
    /// Stored as durably as [`Capabilities::confirm`] says, for every group that hears its topic.
    Confirmed,
    /// Not stored. `for_good`: it never will be (too large, no such topic); otherwise try again.
    Rejected {
        /// Whether trying again is useless.
        for_good: bool,
        /// What to do about it.
        why: Name,
    },
    /// Stored or not: publish it again.
    Unknown,
}

/// This delivery is no longer ours: the subscription was lost, or it was settled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this delivery is no longer ours to settle; it is handled again by whoever holds the lane")]
pub struct Stale;

/// What a confirm means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// In the memory of this process.
    Memory,
    /// In the operating system's cache of one server.
    PageCache,
    /// On one server's disk.
    Fsync,
    /// On most of several servers.
    Quorum,
}

/// What a broker can do, said once, so that no one has to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The broker's name, for people.
    pub name: &'static str,
    /// What [`Publish::Confirmed`] means.
    pub confirm: Confirm,
    /// Whether what was confirmed is still there after this process ended. The relay keeps no cursor otherwise.
    pub outlives_process: bool,
    /// Whether [`Broker::lag`] is exact.
    pub exact_lag: bool,
    /// Whether a second subscriber of a (group, lane) waits for the first to leave.
    pub exclusive_reader: bool,
    /// The largest pack, in bytes.
    pub max_bytes: usize,
}

/// What a worker says of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Everything in it is durable in the store: never deliver it again.
    Ack,
    /// Not handled: deliver it again, to whoever subscribes.
    Release,
}

/// Settles one delivery, once: it is not `Clone`, so a second settlement does not compile.
#[derive(Debug)]
pub struct Token(u64);

impl Token {
    /// Makes a token; for those who implement a broker, which alone know what the number means.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0
    }
}

/// One pack that a broker delivers.
#[derive(Debug)]
pub struct Delivery {
    /// Settles it.
    pub token: Token,
    /// What was published, byte for byte.
    pub bytes: Bytes,
}

/// What one call of [`Consumer::next_batch`] brings.
#[derive(Debug, Default)]
pub struct Batch {
    /// The deliveries, in the broker's order.
    pub deliveries: Vec<Delivery>,
    /// True when nothing more waits for this lane now; only then is the store asked for what is missing (rule 2).
    pub caught_up: bool,
}

/// Who hears what: what every process declares before its first publish, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// For each group, the topics it hears.
    pub hears: BTreeMap<Name, BTreeSet<Name>>,
    /// Topics that hearers outside the store may read as well.
    pub public: BTreeSet<Name>,
    /// How many lanes every group has.
    pub lanes: u16,
}

impl Topology {
    /// The groups that hear `topic`.
    pub fn hearers<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a Name> {
        self.hears.iter().filter(move |(_, topics)| topics.contains(topic)).map(|(group, _)| group)
    }
}

/// Reads one lane of one group.
///
/// Dropping a consumer releases what it has not settled. At most `window` deliveries are unsettled at a time;
/// beyond that `next_batch` waits. Window and limit count deliveries, each a pack, not the messages inside, and
/// let one through when there is none, however large. A second reader of a lane, where the broker has it wait
/// for the first, is told nothing while it waits, not even `caught_up`.
#[async_trait]
pub trait Consumer: Send {
    /// Waits until something can be said, and says it: up to `limit` deliveries, or none and `caught_up`
    /// when what waited before has been brought. Once it has said `caught_up` in an empty batch, it says so
    /// again only after something was delivered in between; until then it waits. What is unsettled does not wait.
    ///
    /// May be dropped at any await: what it would have brought comes with the next call.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`] when the subscription was lost: drop this consumer and subscribe again;
    /// [`BrokerError::Closed`] when its connection was shut down.
    async fn next_batch(&mut self, limit: Limit) -> Result<Batch, BrokerError>;

    /// Settles one delivery, synchronously: the broker learns of it soon, and by [`Consumer::flush`] at the latest.
    /// Never settles an earlier delivery that is still in flight.
    ///
    /// # Errors
    /// [`Stale`] when the delivery is no longer ours.
    fn settle(&mut self, token: Token, settlement: Settlement) -> Result<(), Stale>;

    /// Makes all settlements so far known to the broker: after it, a killed process finds none of them again.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]; the unsettled are then delivered again.
    async fn flush(&mut self) -> Result<(), BrokerError>;

    /// Flushes, releases what is unsettled, and leaves. Says how many it released.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]; what was unsettled is then delivered again all the same.
    async fn close(self: Box<Self>) -> Result<usize, BrokerError>;
}

/// Carries packs from senders to the groups that hear their topic.
///
/// A broker may deliver a pack twice, out of order, or never: the store repairs all of it. It must not deliver
/// to a group what was not published to a topic that group hears, nor change a byte.
#[async_trait]
pub trait Broker: Send + Sync {
    /// What this broker can do; never changes.
    fn capabilities(&self) -> Capabilities;

    /// Creates what is missing of the topology. Called before the first publish and after each reconnect (rule 4);
    /// may be repeated. What a group missed before it was first declared, it never hears. What exists and is not
    /// named stays: a group only ever hears more topics here, so that an older process takes nothing away.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when a group or topic exists with another number of lanes (the error lists it);
    /// nothing is changed then.
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError>;

    /// Publishes packs, in order per lane, and gives one answer for each, in their order.
    ///
    /// Dropped half-way, each pack's outcome is as if [`Publish::Unknown`].
    ///
    /// # Errors
    /// [`BrokerError`] when nothing was tried at all.
    async fn publish(&self, packs: Vec<Pack>) -> Result<Vec<Publish>, BrokerError>;

    /// Joins a (group, lane) that was declared, with at most `window` unsettled deliveries.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when it was never declared.
    async fn subscribe(&self, lane: &GroupLane, window: Limit) -> Result<Box<dyn Consumer>, BrokerError>;

    /// How many deliveries of a (group, lane) are not acked.
    ///
    /// # Errors
    /// [`BrokerError::Refused`] when it was never declared.
    async fn lag(&self, lane: &GroupLane) -> Result<u64, BrokerError>;

    /// Asks the broker whether it would take a publish now.
    ///
    /// # Errors
    /// [`BrokerError`], as a publish would say.
    async fn probe(&self) -> Result<(), BrokerError>;

    /// Waits for what is being published, at most `drain`, and closes. Further calls say [`BrokerError::Closed`].
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`] when some outcomes are unknown.
    async fn shutdown(&self, drain: Duration) -> Result<(), BrokerError>;
}
