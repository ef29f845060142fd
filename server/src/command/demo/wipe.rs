//! How a broker loses all that it has: in this process, by a command, or by the hand of whoever watches.

use crate::exit::Failure;
use oms_core::broker::{Broker, MemoryBroker};
use std::{
    io::{BufRead as _, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

/// How long the hand may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a server is asked whether it is there.
const LOOK: Duration = Duration::from_millis(20);

/// A way to wipe.
pub(super) enum Wipe {
    /// The broker is in this process.
    Here(Arc<MemoryBroker>),
    /// A command of the shell does it, and ends when the server is back.
    Command(String),
    /// Somebody does it elsewhere.
    Hand {
        /// What `cargo xtask servers` calls the server.
        server: &'static str,
    },
}

impl Wipe {
    /// Wipes, or waits until it was done.
    pub(super) async fn strike(&self, broker: &dyn Broker) -> Result<(), Failure> {
        match self {
            Self::Here(broker) => broker.wipe(),
            Self::Command(command) => run(command.clone()).await?,
            Self::Hand { server } => by_hand(server, broker).await?,
        }
        Ok(())
    }
}

async fn run(command: String) -> Result<(), Failure> {
    let line = command.clone();
    let run = move || {
        std::process::Command::new("sh").args(["-c", &line]).stdout(std::process::Stdio::null()).status()
    };
    let ended = tokio::task::spawn_blocking(run).await.map_err(Failure::outside)?;
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Failure::input(format!("--wipe-with {command:?} ended with {status}; try it by hand")))
        }
        Err(error) => Err(Failure::input(format!("--wipe-with {command:?} could not be run: {error}"))),
    }
}

async fn by_hand(server: &str, broker: &dyn Broker) -> Result<(), Failure> {
    eprintln!("wipe the server now, in another terminal: cargo xtask servers wipe {server}");
    let waited = async {
        if std::io::stdin().is_terminal() {
            eprintln!("then press Enter");
            let read = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_line(&mut String::new()));
            read.await.map_err(Failure::outside)?.map(drop).map_err(Failure::outside)
        } else {
            while broker.probe().await.is_ok() {
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        }
    };
    let late =
        || Failure::outside("nobody wiped the server in time; name a command that does with --wipe-with");
    tokio::time::timeout(PATIENCE, waited).await.map_err(|_| late())?
}
