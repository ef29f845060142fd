//! The harness that gives the suite a real server.

use async_trait::async_trait;
use oms_broker::{Broker, BrokerError, Clock, Consumer, SystemClock};
use oms_core::conformance::{
    Failure,
    broker::{End, Harness, Need, Weather},
};
use oms_servers::{Kind, Proxy, Server, ServerError};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a check may wait for what should come: a Java server that was wiped needs a few seconds, and 256 queues a few more.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a turn may take here.
const LONG_TURN: Duration = Duration::from_secs(5);

/// A server of its own for one run of the suite, with a wire before it; it ends with this value.
///
/// Connections are opened by [`oms_broker::connect`], as a user's are. A killed consumer is one that is dropped, for its
/// client's threads end with the process only.
pub struct RealServer {
    kind: Kind,
    near: String,
    afar: String,
    wire: Proxy,
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
        let (wire, afar) = server.afar()?;
        // A reader that is silent is taken for dead soon, and a publish given up.
        let (near, far) = match kind {
            Kind::Nats => ("lease=2", "lease=2&timeout=3"),
            Kind::RabbitMq | Kind::RabbitMq4 => ("heartbeat=10", "heartbeat=2&timeout=3"),
            _ => ("timeout=10", "timeout=3"),
        };
        let (near, afar) = (format!("{}?{near}", server.url()), format!("{afar}?{far}"));
        Ok(Self { kind, near, afar, wire, server: Arc::new(Mutex::new(server)), names: AtomicU64::new(0) })
    }

    /// The server's kind and version.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.kind, self.server.lock().unwrap_or_else(PoisonError::into_inner).version())
    }

    /// Does something to the server, where it blocks nobody.
    async fn to_server(
        &self,
        act: impl FnOnce(&mut Server) -> Result<(), ServerError> + Send + 'static,
    ) -> Result<(), Failure> {
        let server = Arc::clone(&self.server);
        let acted = tokio::task::spawn_blocking(move || {
            act(&mut server.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(acted.await??)
    }
}

async fn connect(url: &str) -> Result<Arc<dyn Broker>, BrokerError> {
    oms_broker::connect(url).await.map_err(|error| match error {
        oms_broker::ConnectError::Broker(error) => error,
        other => BrokerError::Refused { broker: "unknown", why: other.to_string() },
    })
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
        connect(&self.near).await
    }

    fn absent(&self) -> Vec<Need> {
        vec![Need::PushBack]
    }

    async fn kill(&self, consumer: Box<dyn Consumer>) {
        drop(consumer);
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.to_server(Server::wipe).await
    }

    async fn restart(&self, end: End) -> Result<(), Failure> {
        self.to_server(move |server| {
            match end {
                End::Orderly => server.stop()?,
                End::Killed => {
                    server.age();
                    server.kill()?;
                }
            }
            server.start_again()
        })
        .await
    }

    async fn pause(&self, stopped: bool) -> Result<(), Failure> {
        self.to_server(move |server| if stopped { server.pause() } else { server.resume() }).await
    }

    async fn afar(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        connect(&self.afar).await
    }

    async fn weather(&self, weather: Weather) {
        self.wire.set(match weather {
            Weather::Clear => oms_servers::Weather::Clear,
            Weather::Cut => oms_servers::Weather::Cut,
            Weather::Stall => oms_servers::Weather::Stall,
            Weather::Late(time) => oms_servers::Weather::Late(time),
            Weather::Deaf => oms_servers::Weather::Deaf,
        });
    }

    fn wires(&self) -> usize {
        self.wire.live()
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
