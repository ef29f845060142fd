//! Installing what is missing, once for all processes that ask at the same time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::{Kind, ServerError, kafka, nats, postgres, rabbitmq, rabbitmq4};

/// Gives the folder the server is installed in below `root`, and installs it first when it is missing.
///
/// # Errors
/// [`ServerError`], when a program is missing or fails.
pub(crate) fn home(kind: Kind, root: &Path, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, ServerError> {
    let home = root.join(folder(kind));
    fs::create_dir_all(root).map_err(ServerError::file(root))?;
    let lock = root.join(format!("{}.lock", folder(kind)));
    let guard = File::create(&lock).map_err(ServerError::file(&lock))?;
    guard.lock().map_err(ServerError::file(&lock))?;
    if home.is_dir() {
        return Ok(home);
    }
    progress(&format!("installing {kind} into {}", home.display()));
    // Half an installation has another name, so that the right name is always a whole one.
    let half = root.join(format!("{}.half", folder(kind)));
    if half.exists() {
        fs::remove_dir_all(&half).map_err(ServerError::file(&half))?;
    }
    fs::create_dir_all(&half).map_err(ServerError::file(&half))?;
    match kind {
        Kind::Kafka => kafka::install(&half),
        Kind::Nats => nats::install(&half),
        Kind::Postgres => postgres::install(&half),
        Kind::RabbitMq => rabbitmq::install(&half),
        Kind::RabbitMq4 => rabbitmq4::install(&half),
    }?;
    fs::rename(&half, &home).map_err(ServerError::file(&home))?;
    Ok(home)
}

/// The version is part of the name: another version is another installation.
fn folder(kind: Kind) -> String {
    let version = match kind {
        Kind::Kafka => kafka::VERSION,
        Kind::Nats => nats::VERSION,
        Kind::Postgres | Kind::RabbitMq | Kind::RabbitMq4 => "debian",
    };
    format!("{}-{version}", kind.name())
}

/// Gives the version that is installed in `home`.
pub(crate) fn version(kind: Kind, home: &Path) -> String {
    match kind {
        Kind::Kafka => kafka::VERSION.to_owned(),
        Kind::Nats => nats::VERSION.to_owned(),
        Kind::Postgres => postgres::version(home),
        Kind::RabbitMq | Kind::RabbitMq4 => rabbitmq::version(home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_not_installed_again() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join(folder(Kind::Kafka));
        fs::create_dir(&there).unwrap();
        let found = home(Kind::Kafka, root.path(), &mut |line| panic!("{line}")).unwrap();
        assert_eq!(found, there);
    }
}
