//! Why a database is not opened, by what to do about it.

use oms_core::store::StoreError;
use std::path::PathBuf;

/// Why a store is not opened. The database is then as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address makes no sense.
    #[error("this is no address of a database: {0}; write postgres://user@host/database")]
    Address(String),
    /// The name of the schema makes no sense.
    #[error("{0:?} is no name for a schema; take up to 48 small letters, digits and _")]
    Schema(String),
    /// A file of certificates cannot be read.
    #[error("{} cannot be used as a file of authorities: {why}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers, or not in time.
    #[error("the database cannot be reached: {0}; check that it runs, its address, and its certificate")]
    Unreachable(String),
    /// It does not let us in.
    #[error("the database does not let us in: {0}; check user, password, database, and pg_hba.conf")]
    Refused(String),
    /// This role may not do what is needed.
    #[error(
        "this role may not do that: {0}; let an owner of the schema open it once, then run the role script"
    )]
    Rights(String),
    /// A newer release made the schema.
    #[error("the schema {schema} has version {found}, and this release knows {known}; use a newer release")]
    Newer {
        /// The schema.
        schema: String,
        /// Its version.
        found: i32,
        /// The newest version this release knows.
        known: i32,
    },
    /// The schema holds something else.
    #[error("the schema {0} holds tables that are not ours; name another one with ?schema=")]
    Foreign(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}; use 13 or later")]
    Old(String),
    /// It is only a copy of another.
    #[error("this server is a copy that takes no writes; name the one that it follows")]
    ReadOnly,
    /// Anything else it said.
    #[error("the database could not be prepared: {0}")]
    Other(String),
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unreachable(_) => Self::unavailable(error),
            other => Self::Unfit(other.to_string()),
        }
    }
}

/// Sorts what was said while the database was opened.
pub(crate) fn sort(error: &tokio_postgres::Error) -> OpenError {
    let Some(said) = error.as_db_error() else {
        return OpenError::Unreachable(whole(error));
    };
    let words = said.message().to_owned();
    // Classes of SQL states: who comes in, a database that is not there, rights, copies, and servers that start or stop.
    match said.code().code() {
        "25006" => OpenError::ReadOnly,
        "42501" => OpenError::Rights(words),
        "3D000" => OpenError::Refused(words),
        code if code.starts_with("28") => OpenError::Refused(words),
        code if code.starts_with("57") || code.starts_with("53") || code.starts_with("08") => {
            OpenError::Unreachable(words)
        }
        _ => OpenError::Other(words),
    }
}

/// An error with all its causes.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    words
}
