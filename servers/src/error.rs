//! What goes wrong with a server, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::Kind;

/// Says why a server is not there, or is not as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program that installs or runs the server is missing.
    #[error("`{program}` is needed for {kind} and could not be started: install it")]
    Missing {
        /// What it is for.
        kind: Kind,
        /// The program.
        program: String,
        /// Why it did not start.
        source: io::Error,
    },
    /// The installation failed.
    #[error("{kind} could not be installed: mend what `{program}` says\n{said}")]
    Install {
        /// What was to be installed.
        kind: Kind,
        /// The program that failed.
        program: String,
        /// The end of what it said.
        said: String,
    },
    /// The server ended before it answered.
    #[error("{kind} ended before it answered: read {}\n{said}", log.display())]
    Ended {
        /// Which server.
        kind: Kind,
        /// Its log.
        log: PathBuf,
        /// The end of its log.
        said: String,
    },
    /// The server runs, and does not answer.
    #[error("{kind} did not answer within {seconds} s: read {}, and look what else keeps this machine busy", log.display())]
    Silent {
        /// Which server.
        kind: Kind,
        /// How long it was given.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A signal did not reach the server.
    #[error("{kind} could not be {what}: it has ended or belongs to another user; start it again")]
    Signal {
        /// Which server.
        kind: Kind,
        /// What was to be done to it.
        what: &'static str,
        /// Why it was not.
        source: io::Error,
    },
    /// The port of a wire before a server is taken.
    #[error(
        "port {port}, which was kept for a wire before a server, is taken: drop the wire that is there, or try again"
    )]
    Wire {
        /// Which port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates for a guarded server could not be made.
    #[error("certificates could not be made: see that this system has randomness to give")]
    Papers {
        /// What went wrong.
        source: rcgen::Error,
    },
    /// No port of those that servers take is free.
    #[error("no loopback port between 20000 and 32000 is free: end servers that nobody needs")]
    Ports,
    /// A file of the server's could not be read or written.
    #[error("{} could not be read or written: see that the disk has room and the folder is yours", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ServerError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

/// Gives the last lines of what a program wrote.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_of_a_log_are_told() {
        let log: String = (0..30).map(|line| format!("{line}\n")).collect();
        assert!(tail(&log).starts_with("18\n") && tail(&log).ends_with("\n29"));
        assert_eq!(tail("one"), "one");
    }

    #[test]
    fn a_missing_program_is_named_with_what_needs_it() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        let error = ServerError::Missing { kind: Kind::Kafka, program: "mvn".to_owned(), source };
        assert!(error.to_string().starts_with("`mvn` is needed for Kafka"));
    }
}
