//! The claim on a file: one process owns it, and who comes second is told who does.

use crate::error::OpenError;
use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

// Closing any handle of a file drops this process's SQLite locks on it, so that a second open here must not even look.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A path that this process works with; nobody else in it does.
pub(crate) struct Here(PathBuf);

impl Here {
    pub(crate) fn enter(path: &Path) -> Result<Self, OpenError> {
        if OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned()) {
            return Ok(Self(path.to_owned()));
        }
        Err(OpenError::Locked { path: path.to_owned(), holder: "another store in this process".into() })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// The lock file beside the store's; the operating system lets go of it when the process ends, however it does.
pub(crate) struct LockFile {
    file: File,
    _here: Here,
}

impl LockFile {
    pub(crate) fn take(path: &Path, here: Here) -> Result<Self, OpenError> {
        let name = beside(path, "-lock");
        let io = |error| OpenError::io(path.to_owned(), error);
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(name).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(io(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(OpenError::Locked { path: path.to_owned(), holder });
            }
        }
        let holder = format!("process {}", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(io)?;
        Ok(Self { file, _here: here })
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// A file beside another, with a longer name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The path without links, so that two names of one file meet.
pub(crate) fn real(path: &Path) -> Result<PathBuf, OpenError> {
    if let Ok(real) = fs::canonicalize(path) {
        return Ok(real);
    }
    let io = |error| OpenError::io(path.to_owned(), error);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent).map_err(io)?;
    let name = path.file_name().ok_or_else(|| OpenError::Directory(path.to_owned()))?;
    Ok(parent.join(name))
}
