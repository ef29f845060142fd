//! The harness that gives the suite a real server.

use async_trait::async_trait;
use oms_broker::{Broker, BrokerError, Clock, Consumer, SystemClock};
use oms_core::conformance::{
    Failure,
    broker::{Harness, Need},
};
use oms_servers::{Kind, Server, ServerError};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a check may wait for what should come: a Java server that was wiped needs a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a turn may take here.
const LONG_TURN: Duration = Duration::from_secs(5);

/// A server of its own for one run of the suite; it ends with this value.
///
/// Connections are opened by [`oms_broker::connect`], as a user's are. A killed consumer is one that is dropped, for its
/// client's threads end with the process only; what a server that is killed keeps is asked by the campaigns of `oms-chaos`.
pub struct RealServer {
    url: String,
    server: Arc<Mutex<Server>>,
    names: AtomicU64,
}

impl RealServer {
    /// Starts a server with nothing in it under `root`; installs it there first where it is missing.
    ///
    /// # Errors
    /// [`ServerError`], as starting it says.
    pub fn start(kind: Kind, root: &Path) -> Result<Self, ServerError> {
        let server = Server::start(kind, root, &mut |line| eprintln!("{line}"))?;
        Ok(Self { url: server.url(), server: Arc::new(Mutex::new(server)), names: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Harness for RealServer {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn unique(&self) -> String {
        format!("t{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        oms_broker::connect(&self.url).await.map_err(|error| match error {
            oms_broker::ConnectError::Broker(error) => error,
            other => BrokerError::Refused { broker: "unknown", why: other.to_string() },
        })
    }

    fn absent(&self) -> Vec<Need> {
        vec![Need::PushBack]
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        drop(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        let server = Arc::clone(&self.server);
        let wiped =
            tokio::task::spawn_blocking(move || server.lock().unwrap_or_else(PoisonError::into_inner).wipe());
        Ok(wiped.await??)
    }

    fn lane_bytes(&self) -> usize {
        // Not asked: what waits in a lane is limited by the server's disk.
        usize::MAX
    }

    fn long_turn(&self) -> Duration {
        LONG_TURN
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}
