//! Files that are not opened: each has an error of its own, and is left as it was.

#![expect(clippy::expect_used, reason = "every line of this file is a test")]

mod kit;

use oms_sqlite::{OpenError, Options};
use rusqlite::Connection;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// Opens `path`, which must fail, and must change nothing in its directory.
fn refused(directory: &Path, options: Options) -> OpenError {
    let before = contents(directory);
    let error = options.open().err().expect("is refused");
    assert!(before == contents(directory), "the directory was changed by {error}");
    error
}

fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry"));
    let mut all: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    all.sort();
    all
}

fn directory() -> TempDir {
    TempDir::new().expect("a directory")
}

#[test]
fn a_text_is_not_a_database() {
    let directory = directory();
    let path = directory.path().join("notes.txt");
    fs::write(&path, "orders to ship today\n".repeat(100)).expect("written");
    assert!(matches!(refused(directory.path(), Options::new(&path)), OpenError::NotADatabase(_)));
}

#[test]
fn a_short_file_is_not_a_database() {
    let directory = directory();
    let path = directory.path().join("a");
    fs::write(&path, "SQLite format 3\0").expect("written");
    assert!(matches!(refused(directory.path(), Options::new(&path)), OpenError::NotADatabase(_)));
}

#[test]
fn the_database_of_another_application_is_left_alone() {
    let directory = directory();
    let path = directory.path().join("photos.db");
    let db = Connection::open(&path).expect("opens");
    db.execute_batch("CREATE TABLE photo (id); PRAGMA application_id = 7;").expect("made");
    db.close().expect("closes");
    let error = refused(directory.path(), Options::new(&path));
    assert!(matches!(error, OpenError::Foreign { found: 7, .. }), "{error}");
}

#[test]
fn a_newer_schema_is_left_to_a_newer_release() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    drop(kit::open(&path));
    let db = Connection::open(&path).expect("opens");
    db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;").expect("made");
    db.close().expect("closes");
    let error = refused(directory.path(), Options::new(&path));
    assert!(matches!(error, OpenError::Newer { found: 99, known: 1, .. }), "{error}");
}

#[test]
fn a_directory_is_no_file() {
    let directory = directory();
    let path = directory.path().join("orders");
    fs::create_dir(&path).expect("made");
    assert!(matches!(refused(directory.path(), Options::new(&path)), OpenError::Directory(_)));
}

#[test]
fn a_missing_directory_is_named() {
    let directory = directory();
    let path = directory.path().join("nowhere").join("orders.db");
    assert!(matches!(refused(directory.path(), Options::new(&path)), OpenError::NoDirectory(_)));
}

const FORBIDDEN: &str = "OMS_SQLITE_FORBIDDEN";

/// Not a test of its own: opens what its user may only read, when it is run as a child.
#[test]
fn child_that_may_not_write() {
    let Ok(path) = std::env::var(FORBIDDEN) else { return };
    let error = Options::new(path).open().err().expect("is refused");
    assert!(matches!(error, OpenError::NoPermission(_)), "{error}");
    println!("refused for want of permission");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_not_opened() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let directory = directory();
    let path = directory.path().join("orders.db");
    drop(kit::open(&path));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("set");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("set");
    // A program of its own beside the file, for another user may not reach this one.
    let child = directory.path().join("child");
    fs::copy(std::env::current_exe().expect("this binary"), &child).expect("copied");
    let before = contents(directory.path());
    let mut command = Command::new(&child);
    command.args(["--exact", "child_that_may_not_write", "--nocapture"]).env(FORBIDDEN, &path);
    if fs::File::options().write(true).open(&path).is_ok() {
        // This user may write everything; nobody may not.
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().expect("a child of a user without rights can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("refused for want of permission"), "{output:?}");
    assert!(before == contents(directory.path()), "the directory was changed");
}

#[test]
fn a_second_open_is_told_who_has_the_file() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    let store = kit::open(&path);
    let error = refused(directory.path(), Options::new(&path));
    assert!(matches!(&error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("orders.db"), "{error}");
    kit::place(&store, 1, 0, b"{}").expect("the first goes on");
    drop(store);
    drop(kit::open(&path));
}

#[test]
fn no_room_for_a_new_file_leaves_nothing_behind() {
    let directory = directory();
    let path = directory.path().join("orders.db");
    let error = Options::new(&path).max_bytes(8_192).open().err().expect("is refused");
    assert!(matches!(error, OpenError::Full(_)), "{error}");
    assert!(!path.exists(), "half a store was left");
    drop(kit::open(&path));
}
