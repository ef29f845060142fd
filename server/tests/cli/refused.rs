//! Databases and files that are refused: each with an error that names it, and left as it was.

use crate::kit::{Desk, Ended, HEADER, end};
use rusqlite::Connection;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::{Command, Stdio},
};

/// Everything but lock files, which say who has a database and nothing of it.
fn contents(desk: &Desk) -> Vec<(PathBuf, Vec<u8>)> {
    let lock = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "db-lock");
    desk.contents().into_iter().filter(|(path, _)| !lock(path)).collect()
}

/// Every command that opens a database refuses this one.
fn refused(desk: &Desk, code: i32, says: &str) {
    let before = contents(desk);
    for line in ["check --json", "import f.csv", "orders list", "stock", "dead-letters list", "demo"] {
        let ended = desk.oms(&format!("--db a.db {line}"));
        assert_eq!(ended.code, Some(code), "{line}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("a.db") && ended.err.contains(says), "{line}: {}", ended.err);
        assert_eq!(ended.out, "", "{line}");
        assert!(contents(desk) == before, "{line} changed something");
    }
}

/// Runs the command under a limit on the size of files, in blocks: the next best thing to a full disk.
fn limited(desk: &Desk, blocks: u32, line: &str) -> Ended {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_oms")]);
    command.args(line.split_whitespace()).current_dir(desk.folder()).stdin(Stdio::null());
    command.output().expect("it runs").into()
}

fn with_orders() -> Desk {
    let desk = Desk::new();
    desk.orders("f.csv", 3, "");
    desk.done("--db a.db import f.csv --json");
    desk
}

#[test]
fn a_directory_is_no_database() {
    let desk = Desk::new();
    desk.orders("f.csv", 1, "");
    fs::create_dir(desk.path("a.db")).expect("a folder");
    refused(&desk, 2, "is a directory; name a file in it");
}

#[test]
fn a_text_is_no_database() {
    let desk = Desk::new();
    desk.orders("f.csv", 1, "");
    desk.write("a.db", "orders to ship today\n".repeat(100));
    refused(&desk, 2, "is not an SQLite database; name another file");
}

#[test]
fn a_database_of_a_newer_schema_is_left_to_a_newer_release() {
    let desk = with_orders();
    let db = Connection::open(desk.path("a.db")).expect("it opens");
    db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;").expect("it is marked");
    db.close().expect("it closes");
    refused(&desk, 2, "use a newer release");
}

#[test]
fn a_database_that_another_process_has_is_named_with_its_holder() {
    let desk = Desk::new();
    desk.orders("slow.csv", 1_000, "");
    desk.orders("f.csv", 1, "");
    let mut holder = desk.start("--db a.db import slow.csv --rate 1");
    desk.wait_for_orders("a.db", 1, &mut holder);
    for line in ["check --json", "import f.csv", "orders list"] {
        let ended = desk.oms(&format!("--db a.db {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{line}: {}", ended.err);
        let says = format!("a.db is in use by process {}", holder.id());
        assert!(ended.err.contains(&says), "{line}: {}", ended.err);
    }
    holder.kill().expect("it is killed");
    end(holder);
    assert_eq!(desk.done("--db a.db check --json")["violations"], serde_json::json!([]));
}

#[test]
fn a_database_that_may_not_be_read_is_named() {
    let desk = with_orders();
    let mode = |name: &str, mode| {
        fs::set_permissions(desk.path(name), fs::Permissions::from_mode(mode)).expect("its mode is set");
    };
    mode("a.db", 0o000);
    mode("", 0o755);
    // Nobody can be refused while being root: the command then runs as nobody.
    let root = fs::metadata(desk.folder()).expect("a folder").uid() == 0;
    let before = contents(&desk);
    let ended: Ended = if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_oms")]);
        command.args(["--db", "a.db", "check"]).current_dir(desk.folder());
        command.output().expect("setpriv is there").into()
    } else {
        desk.oms("--db a.db check")
    };
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
    assert!(ended.err.contains("a.db may not be read and written by this user"), "{}", ended.err);
    assert!(contents(&desk) == before, "nothing changed");
    mode("a.db", 0o600);
    desk.done("--db a.db check --json");
}

#[test]
fn a_new_database_that_does_not_fit_on_its_disk_leaves_nothing_behind() {
    let desk = Desk::new();
    desk.orders("f.csv", 3, "");
    let before = contents(&desk);
    let ended = limited(&desk, 8, "--db a.db import f.csv --json");
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{}", ended.err);
    assert!(ended.err.contains("a.db"), "{}", ended.err);
    assert!(contents(&desk) == before, "nothing is left behind");
}

#[test]
fn a_disk_that_is_full_stops_an_import_and_loses_nothing() {
    let desk = with_orders();
    desk.orders("more.csv", 40, "");
    let hash = |desk: &Desk| desk.done("--db a.db check --json")["summary_hash"].clone();
    let before = hash(&desk);
    for blocks in [8, 80] {
        let ended = limited(&desk, blocks, "--db a.db import more.csv --json");
        assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{}", ended.err);
        assert!(ended.err.contains("a.db"), "{}", ended.err);
        assert_eq!(hash(&desk), before, "as it was");
    }
    let answer = desk.done("--db a.db import more.csv --json");
    assert_eq!((&answer["placed"], &answer["by_status"]["completed"]), (&37.into(), &40.into()));
    assert_eq!(desk.done("--db a.db check --json")["violations"], serde_json::json!([]));
}

#[test]
fn a_file_that_is_no_file_of_orders_is_refused_before_there_is_a_database() {
    let desk = Desk::new();
    desk.write("empty.csv", "");
    desk.write("latin.csv", [HEADER.as_bytes(), b"1,A,caf\xe9,2,1/1/2011 8:00,1.25,c,France\n"].concat());
    desk.write("columns.csv", "a,b\n1,2\n");
    fs::create_dir(desk.path("folder")).expect("a folder");
    let before = desk.contents();
    let cases = [
        ("empty.csv", "empty.csv: the file is empty"),
        ("latin.csv", "save the file as UTF-8"),
        ("columns.csv", "no column for invoice"),
        ("folder", "is no regular file"),
        ("missing.csv", "missing.csv cannot be opened"),
    ];
    for (file, says) in cases {
        let ended = desk.oms(&format!("--db a.db import {file} --json"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{file}: {}", ended.err);
        assert!(ended.err.contains(says), "{file}: {}", ended.err);
    }
    assert_eq!(desk.contents(), before, "no database was made");
}
