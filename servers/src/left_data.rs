//! The data that killed processes left behind.

use std::fs;
use std::path::Path;

use crate::Kind;

/// Deletes the data folders below `data` of servers whose starter has ended without deleting them.
///
/// Logs stay: a test that failed left them to be read.
pub(crate) fn delete(data: &Path) {
    for entry in fs::read_dir(data).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if starter(&name.to_string_lossy()).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another process may be deleting the same; what stays is found the next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Names the folder of the `count`th server that this process started.
pub(crate) fn name(kind: Kind, count: u32) -> String {
    format!("{}-{}-{count}", kind.name(), std::process::id())
}

/// Reads the pid of the starter from a folder's name; a detached server's folder names none.
fn starter(name: &str) -> Option<u32> {
    let (front, count) = name.rsplit_once('-')?;
    count.parse::<u32>().ok()?;
    let (kind, pid) = front.rsplit_once('-')?;
    Kind::named(kind)?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_ended_process_left_is_deleted() {
        let data = tempfile::tempdir().unwrap();
        // No pid is as great as this one.
        let (mine, gone) = (name(Kind::Kafka, 7), "nats-4294967295-0".to_owned());
        for folder in [mine.as_str(), &gone, "rabbitmq", "kafka-1.log"] {
            fs::create_dir(data.path().join(folder)).unwrap();
        }
        delete(data.path());
        assert!(!data.path().join(gone).exists());
        assert!(
            [mine.as_str(), "rabbitmq", "kafka-1.log"].iter().all(|name| data.path().join(name).exists())
        );
    }
}
