//! Why a measurement could not be taken.

use std::{error::Error, fmt::Display, path::PathBuf, time::Duration};

type Source = Box<dyn Error + Send + Sync>;

/// Why a measurement could not be taken; a target that is missed is none of these.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system that is measured, or a peer of it, failed.
    #[error("what is measured failed; run its tests first")]
    Measured(#[source] Source),
    /// It ended, but not as it must, so that its figures say nothing.
    #[error("the figures of this run are void: {0}; run the tests first")]
    Void(String),
    /// It did not end.
    #[error("{what} did not end within {} seconds; run it again on an idle machine", .limit.as_secs())]
    Stuck {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
    },
    /// A file, a folder or a process of the bench itself.
    #[error("{} cannot be used; name another place, or make room", .path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Fault {
    /// Says that what is measured failed.
    pub fn measured(source: impl Into<Source>) -> Self {
        Self::Measured(source.into())
    }

    /// Says that the figures are void.
    pub fn void(why: impl Display) -> Self {
        Self::Void(why.to_string())
    }

    /// Says that a place cannot be used.
    pub fn place(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Place { path: path.into(), source }
    }
}
