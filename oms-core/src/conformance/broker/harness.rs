//! What the suite asks of whoever wants a broker to be checked.

use super::super::report::Failure;
use crate::{
    broker::{Broker, BrokerError, Consumer},
    clock::Clock,
};
use async_trait::async_trait;
use std::{fmt, sync::Arc, time::Duration};

/// What a check may need; what is not declared absent must work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// [`crate::broker::Capabilities::exact_lag`].
    ExactLag,
    /// [`crate::broker::Capabilities::exclusive_reader`].
    ExclusiveReader,
    /// [`Harness::wipe`].
    Wipe,
    /// [`Harness::lane_bytes`]: a publish is pushed back when too much waits.
    PushBack,
    /// [`Harness::restart`].
    Restart,
    /// [`Harness::afar`] and [`Harness::weather`].
    Wire,
    /// [`Harness::pause`].
    Pause,
}

impl fmt::Display for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Need::ExactLag => "exact lag",
            Need::ExclusiveReader => "exclusive reader",
            Need::Wipe => "way to wipe the server",
            Need::PushBack => "limit of what waits in a lane",
            Need::Restart => "way to start the server again",
            Need::Wire => "wire to the server that can be disturbed",
            Need::Pause => "way to stop the server's time",
        })
    }
}

/// How a server ends before it is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As an operator stops it.
    Orderly,
    /// At once, in the midst of what it does (SIGKILL).
    Killed,
}

/// What happens on the wire between a connection made by [`Harness::afar`] and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// Everything goes through.
    #[default]
    Clear,
    /// Every connection is cut, and a new one is cut at once.
    Cut,
    /// Connections stay open, and nothing goes through until it is clear again.
    Stall,
    /// Everything comes so much later.
    Late(Duration),
    /// The server hears its clients, and they hear nothing of it. A connection on which something was lost is cut afterwards.
    Deaf,
}

/// What the suite asks of whoever wants a broker to be checked.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Tells the time that the broker lives by.
    fn clock(&self) -> Arc<dyn Clock>;

    /// A text of small letters and digits that this server has never seen; names start with it.
    fn unique(&self) -> String;

    /// Another connection to the broker, as another process would have; open.
    ///
    /// # Errors
    /// [`BrokerError`], which fails the check that asked.
    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError>;

    /// What cannot be checked here: capabilities that the broker declares absent need no mention.
    fn absent(&self) -> Vec<Need>;

    /// Ends a consumer as a killed process would: nothing is settled, flushed or said.
    async fn kill(&self, consumer: Box<dyn Consumer>);

    /// Makes the server forget packs and topology, as if its disk were gone; connections may be lost.
    ///
    /// # Errors
    /// [`Failure`] when it does not work, which fails the check unless [`Need::Wipe`] is absent.
    async fn wipe(&self) -> Result<(), Failure>;

    /// Ends the server and starts it again with what it had.
    ///
    /// # Errors
    /// [`Failure`] when it does not work, which fails the check unless [`Need::Restart`] is absent.
    async fn restart(&self, end: End) -> Result<(), Failure>;

    /// Stops the server's time, or lets it go on: connections stay open, and nothing answers.
    ///
    /// # Errors
    /// [`Failure`] when it does not work, which fails the check unless [`Need::Pause`] is absent.
    async fn pause(&self, stopped: bool) -> Result<(), Failure>;

    /// A connection over a wire whose weather can change; it is clear now. What it asks is given up after a few seconds, and
    /// a reader of it that is not heard of for a few seconds is taken for dead.
    ///
    /// # Errors
    /// [`BrokerError`], which fails the check that asked unless [`Need::Wire`] is absent.
    async fn afar(&self) -> Result<Arc<dyn Broker>, BrokerError>;

    /// Changes the weather of all that came from afar.
    async fn weather(&self, weather: Weather);

    /// How many connections from afar are open.
    fn wires(&self) -> usize;

    /// How many bytes of unacked packs one lane takes at most before a publish is not confirmed any more.
    fn lane_bytes(&self) -> usize;

    /// How long a turn may take with its deliveries still being its own.
    fn long_turn(&self) -> Duration;

    /// How long a check may wait for what should come, redelivery after a kill included.
    fn patience(&self) -> Duration;
}
