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
}

impl fmt::Display for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Need::ExactLag => "exact lag",
            Need::ExclusiveReader => "exclusive reader",
            Need::Wipe => "way to wipe the server",
            Need::PushBack => "limit of what waits in a lane",
        })
    }
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

    /// How many bytes of unacked packs one lane takes at most before a publish is not confirmed any more.
    fn lane_bytes(&self) -> usize;

    /// How long a turn may take with its deliveries still being its own.
    fn long_turn(&self) -> Duration;

    /// How long a check may wait for what should come, redelivery after a kill included.
    fn patience(&self) -> Duration;
}
