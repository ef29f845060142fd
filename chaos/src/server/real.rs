//! A real server on this machine, installed, started and disturbed for the campaign.

use super::port::Server;
use crate::failure::Failure;
use async_trait::async_trait;
use oms_core::broker::Broker;
use oms_servers::Kind;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// A server that this process started, and that ends with it.
pub struct Real {
    kind: Kind,
    url: String,
    running: Arc<Mutex<Running>>,
}

struct Running {
    server: oms_servers::Server,
    dead: bool,
}

impl Real {
    /// Starts a server with nothing in it; installs it first where it is missing.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be installed or started.
    pub async fn raise(kind: Kind) -> Result<Self, Failure> {
        let name = kind.name();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/servers");
        let started =
            off(move || oms_servers::Server::start(kind, &root, &mut |line| eprintln!("{line}"))).await?;
        let server =
            started.map_err(|error| Failure::of(format!("no {name} server can be started"), error))?;
        let url = server.url();
        Ok(Self { kind, url, running: Arc::new(Mutex::new(Running { server, dead: false })) })
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Does something to the server that blocks.
    async fn disturb(
        &self,
        what: &str,
        act: impl FnOnce(&mut Running) -> Result<(), oms_servers::ServerError> + Send + 'static,
    ) -> Result<(), Failure> {
        let running = Arc::clone(&self.running);
        let done = off(move || act(&mut running.lock().unwrap_or_else(PoisonError::into_inner))).await?;
        done.map_err(|error| Failure::of(format!("the {} server cannot be {what}", self.kind.name()), error))
    }
}

/// Runs what blocks beside the runtime's own threads.
async fn off<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(act).await.map_err(|error| Failure::of("a server's thread ended", error))
}

#[async_trait]
impl Server for Real {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    async fn connect(&self) -> Result<Arc<dyn Broker>, Failure> {
        let broker = oms_broker::connect(&self.url).await;
        broker
            .map_err(|error| Failure::of(format!("the {} server cannot be reached", self.kind.name()), error))
    }

    async fn kill(&self) -> Result<(), Failure> {
        self.disturb("killed", |running| {
            running.server.age();
            running.server.kill()?;
            running.dead = true;
            Ok(())
        })
        .await
    }

    async fn wipe(&self) -> Result<(), Failure> {
        self.disturb("wiped", |running| {
            running.server.wipe()?;
            // It is started empty by that.
            running.dead = false;
            Ok(())
        })
        .await
    }

    async fn start(&self) -> Result<(), Failure> {
        self.disturb("started again", |running| {
            if running.dead {
                running.server.start_again()?;
                running.dead = false;
            }
            Ok(())
        })
        .await
    }
}
