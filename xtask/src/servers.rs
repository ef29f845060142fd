//! The `servers` task: servers for tests run by hand, which run on until they are put down.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use oms_servers::{Footprint, Kind, Server, ServerError};
use serde_json::{Value, json};

/// What can be done with servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Act {
    /// Starts servers, installed when missing, and prints their URLs.
    Up {
        /// Which: kafka, nats, postgres, rabbitmq, rabbitmq4; all but the last when none is named.
        #[arg(value_parser = kind)]
        names: Vec<Kind>,
    },
    /// Ends what `up` started; its data stay until it is started again.
    Down {
        /// Which: kafka, nats, postgres, rabbitmq, rabbitmq4; all when none is named.
        #[arg(value_parser = kind)]
        names: Vec<Kind>,
    },
    /// Says what runs.
    Status {
        /// Which: kafka, nats, postgres, rabbitmq, rabbitmq4; all when none is named.
        #[arg(value_parser = kind)]
        names: Vec<Kind>,
    },
}

/// Says why a server was not put up or down.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{} could not be read or written: see that it is yours, or delete it", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{kind} (pid {pid}) could not be ended: end it by hand")]
    End { kind: Kind, pid: u32, source: io::Error },
}

/// What is done to one kind below a folder, and the line about it.
type One = fn(Kind, &Path) -> Result<String, Fault>;

/// Where servers are installed and have their data, in the workspace at `root`.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("target/servers")
}

/// Does what was asked, one server after the other, and says whether all went well.
pub(crate) fn run(root: &Path, act: &Act) -> bool {
    let folder = folder(root);
    let (names, all, one): (_, &[Kind], One) = match act {
        Act::Up { names } => (names, &Kind::USUAL, up),
        Act::Down { names } => (names, &Kind::ALL, down),
        Act::Status { names } => (names, &Kind::ALL, status),
    };
    let names = if names.is_empty() { all } else { names };
    let mut well = true;
    for kind in names {
        match one(*kind, &folder) {
            Ok(line) => println!("{line}"),
            Err(fault) => {
                well = false;
                eprintln!("{}", chain(&fault));
            }
        }
    }
    well
}

/// Writes an error with all that caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| "name one of kafka, nats, postgres, rabbitmq, rabbitmq4".to_owned())
}

fn up(kind: Kind, folder: &Path) -> Result<String, Fault> {
    if let Some((_, url)) = running(kind, folder) {
        return Ok(address(kind, &url));
    }
    // Whoever reads the output with a program wants the addresses alone.
    let server = Server::start_detached(kind, folder, &mut |line| eprintln!("{line}"))?;
    let url = server.url();
    if let Some(footprint) = server.footprint() {
        let path = state_file(kind, folder);
        let written = fs::write(&path, state(footprint, &url));
        written.map_err(|source| Fault::File { path, source })?;
    }
    Ok(address(kind, &url))
}

fn down(kind: Kind, folder: &Path) -> Result<String, Fault> {
    let Some((footprint, _)) = running(kind, folder) else {
        return Ok(format!("{}: not running", kind.name()));
    };
    footprint.end().map_err(|source| Fault::End { kind, pid: footprint.pid, source })?;
    let path = state_file(kind, folder);
    fs::remove_file(&path).map_err(|source| Fault::File { path, source })?;
    Ok(format!("{}: ended", kind.name()))
}

fn status(kind: Kind, folder: &Path) -> Result<String, Fault> {
    let name = kind.name();
    Ok(match running(kind, folder) {
        Some((footprint, url)) => format!("{name}: running as {} at {url}", footprint.pid),
        None => format!("{name}: not running"),
    })
}

fn address(kind: Kind, url: &str) -> String {
    format!("{}: {url}", kind.name())
}

fn state_file(kind: Kind, folder: &Path) -> PathBuf {
    folder.join(format!("{}.json", kind.name()))
}

fn state(footprint: Footprint, url: &str) -> String {
    json!({"pid": footprint.pid, "began": footprint.began, "url": url}).to_string()
}

/// Gives what `up` wrote, when the very process it wrote about still runs.
fn running(kind: Kind, folder: &Path) -> Option<(Footprint, String)> {
    let text = fs::read_to_string(state_file(kind, folder)).ok()?;
    let state: Value = serde_json::from_str(&text).ok()?;
    let pid = u32::try_from(state["pid"].as_u64()?).ok()?;
    let footprint = Footprint { pid, began: state["began"].as_u64()? };
    footprint.is_alive().then(|| Some((footprint, state["url"].as_str()?.to_owned())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_process_that_was_started_counts_as_running() {
        let folder = tempfile::tempdir().unwrap();
        let file = state_file(Kind::Nats, folder.path());
        let me = Footprint::of(std::process::id()).unwrap();
        assert_eq!(running(Kind::Nats, folder.path()), None);

        fs::write(&file, state(me, "nats://here")).unwrap();
        assert_eq!(running(Kind::Nats, folder.path()), Some((me, "nats://here".to_owned())));

        let recycled = Footprint { began: me.began + 1, ..me };
        fs::write(&file, state(recycled, "nats://here")).unwrap();
        assert_eq!(running(Kind::Nats, folder.path()), None);
        assert_eq!(down(Kind::Nats, folder.path()).unwrap(), "nats: not running");
    }

    #[test]
    fn what_up_prints_is_what_a_command_takes_as_its_broker() {
        assert_eq!(address(Kind::Kafka, "kafka://a:1"), "kafka: kafka://a:1");
    }
}
