//! What every broker must prove: one function per sentence of the port's contract.
//!
//! An adapter implements [`Harness`] for its server and runs [`run`]; the report names every check.
//! What needs a server process to be stopped, killed or cut off is tested beside the adapters.

mod delivery;
mod groups;
mod lifecycle;
mod order;
mod pressure;
mod scene;
mod settlement;
mod watch;

use super::report::{self, Check, Failure, Report};
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

type BrokerCheck = Check<dyn Harness, Need>;

macro_rules! check {
    ($id:literal, $name:literal, [$($need:ident),*], $run:path) => {
        crate::conformance::Check {
            id: $id,
            name: $name,
            needs: &[$(crate::conformance::broker::Need::$need),*],
            run: |harness| Box::pin($run(harness)),
        }
    };
}
use check;

/// Every check of the suite, in order.
#[must_use]
pub fn checks() -> Vec<BrokerCheck> {
    let rooms = [
        delivery::checks(),
        groups::checks(),
        order::checks(),
        settlement::checks(),
        pressure::checks(),
        lifecycle::checks(),
        watch::checks(),
    ];
    rooms.into_iter().flatten().collect()
}

/// Runs the whole suite.
///
/// ```
/// let checks = oms_core::conformance::broker::checks();
/// assert!(checks.len() > 36);
/// ```
///
/// # Errors
/// [`BrokerError`] when there is no connection at all to ask for its capabilities.
pub async fn run(harness: &(dyn Harness + 'static)) -> Result<Report, BrokerError> {
    let capabilities = harness.connect().await?.capabilities();
    let absent = harness.absent();
    let has = |need: &Need| {
        let declared = match need {
            Need::ExactLag => capabilities.exact_lag,
            Need::ExclusiveReader => capabilities.exclusive_reader,
            Need::Wipe | Need::PushBack => true,
        };
        declared && !absent.contains(need)
    };
    let clock = harness.clock();
    Ok(report::run(harness, &checks(), &*clock, harness.patience(), has).await)
}
