//! Why a file is not opened, by what to do about it.

use oms_core::store::StoreError;
use std::{io, path::PathBuf};

/// Why a store is not opened. The file is left byte for byte as it was; one that was new is not left behind.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is something else.
    #[error("{} is not an SQLite database; name another file", .0.display())]
    NotADatabase(PathBuf),
    /// The file is an SQLite database of another application.
    #[error("{} belongs to another application (id {found}); name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id in it.
        found: u32,
    },
    /// A newer release wrote it.
    #[error("{} has schema {found}, and this release knows {known}; use a newer release", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema this release knows.
        known: u32,
    },
    /// Another process, or another store in this one, has it open.
    #[error("{} is in use by {holder}; stop it first, or use a store that several processes may share", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Who has it, as far as is known.
        holder: String,
    },
    /// The path names a directory.
    #[error("{} is a directory; name a file in it", .0.display())]
    Directory(PathBuf),
    /// The directory that the file would lie in does not exist.
    #[error("the directory of {} does not exist; create it first", .0.display())]
    NoDirectory(PathBuf),
    /// This user may not read and write it.
    #[error("{} may not be read and written by this user; change its permissions", .0.display())]
    NoPermission(PathBuf),
    /// There is no room for it.
    #[error("there is no room for {}; make some on its disk", .0.display())]
    Full(PathBuf),
    /// It is ours, and cannot be read.
    #[error("{} is damaged; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The operating system failed.
    #[error("{} cannot be opened; check its disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::NoPermission(path),
            io::ErrorKind::IsADirectory => Self::Directory(path),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoDirectory(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            _ => Self::Io { path, source },
        }
    }

    pub(crate) fn sqlite(path: PathBuf, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { path, holder: "another program that opened it with SQLite".into() }
            }
            Some(ErrorCode::DiskFull) => Self::Full(path),
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                Self::NoPermission(path)
            }
            Some(ErrorCode::SystemIoFailure) => Self::Io { path, source: io::Error::other(source) },
            _ => Self::Damaged { path, source },
        }
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        Self::Unfit(error.to_string())
    }
}
