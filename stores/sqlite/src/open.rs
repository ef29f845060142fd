//! Opening a file: looked at before it is touched, then claimed, then read into memory.

use crate::{
    error::OpenError,
    guard::{Here, LockFile, beside, real},
    options::{Options, Synchronous},
    owed,
    present::Present,
    reader::Reader,
    rows::{name, uint},
    shared::Shared,
    store::SqliteStore,
    writer::Writer,
};
use oms_core::{clock::Timestamp, id::Name, message::GroupLane};
use rusqlite::{Connection, config::DbConfig, params};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Read,
    path::Path,
    sync::{Arc, Mutex},
};

/// "omsq".
const APPLICATION: u32 = 0x6f6d_7371;
const SCHEMA: u32 = 1;
const HEADER: usize = 100;
const PAGE: u64 = 4_096;
/// Pages that the writer keeps in memory, in KiB: a large file fills them, whatever is done with it.
const WRITER_CACHE: i64 = 32_768;
/// The same for each of the two readers. Each commit empties theirs, so that only one look can use it.
const READER_CACHE: i64 = 4_096;

impl Options {
    /// Opens the file, or creates it, and takes over all its leases. Blocks while it does.
    ///
    /// # Errors
    /// [`OpenError`]; the file is then as it was.
    pub fn open(self) -> Result<SqliteStore, OpenError> {
        begin(self)
    }
}

/// Opens `path` as [`Options::new`] does.
///
/// # Errors
/// [`OpenError`]; the file is then as it was.
pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
    Options::new(path).open()
}

fn begin(options: Options) -> Result<SqliteStore, OpenError> {
    let path = real(&options.path)?;
    let here = Here::enter(&path)?;
    let is_new = inspect(&path)?;
    let lock = LockFile::take(&path, here)?;
    match start(&options, &path, is_new) {
        Ok((write, [read, ask], present)) => {
            let shared = Arc::new(Mutex::new(present));
            let io = |error| OpenError::io(path.clone(), error);
            let writer = Writer::start(write, Arc::clone(&shared)).map_err(io)?;
            let reader = Reader::start("oms-sqlite-read", read).map_err(io)?;
            let desk = Reader::start("oms-sqlite-ask", ask).map_err(io)?;
            Ok(SqliteStore(Arc::new(Shared::new(options.clock, writer, (reader, desk), shared, lock))))
        }
        Err(error) => {
            if is_new {
                // What was begun is worth nothing: leave no half a store behind.
                for ending in ["", "-wal", "-shm", "-journal", "-new", "-new-journal"] {
                    let _ = fs::remove_file(beside(&path, ending));
                }
            }
            Err(error)
        }
    }
}

/// Looks at the file's header without touching it; says whether there is nothing yet.
fn inspect(path: &Path) -> Result<bool, OpenError> {
    let io = |error| OpenError::io(path.to_owned(), error);
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        found => found.map_err(io)?,
    };
    if found.is_dir() {
        return Err(OpenError::Directory(path.to_owned()));
    }
    let mut header = Vec::with_capacity(HEADER);
    let file = File::options().read(true).write(true).open(path).map_err(io)?;
    file.take(HEADER as u64).read_to_end(&mut header).map_err(io)?;
    if header.is_empty() {
        return Ok(true);
    }
    if header.len() < HEADER || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase(path.to_owned()));
    }
    let number = |at: usize| header[at..at + 4].iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    check(path, number(68), number(60))?;
    Ok(false)
}

fn check(path: &Path, application: u32, schema: u32) -> Result<(), OpenError> {
    if application != APPLICATION {
        return Err(OpenError::Foreign { path: path.to_owned(), found: application });
    }
    if schema > SCHEMA {
        return Err(OpenError::Newer { path: path.to_owned(), found: schema, known: SCHEMA });
    }
    Ok(())
}

fn start(
    options: &Options,
    path: &Path,
    is_new: bool,
) -> Result<(Connection, [Connection; 2], Present), OpenError> {
    let sqlite = |error| OpenError::sqlite(path.to_owned(), error);
    if is_new {
        create(options, path)?;
    }
    let write = connect(options, path, WRITER_CACHE).map_err(sqlite)?;
    let pragma = |name: &str| write.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u32>(0));
    check(path, pragma("application_id").map_err(sqlite)?, pragma("user_version").map_err(sqlite)?)?;
    let present = recall(&write).map_err(sqlite)?;
    let read = || {
        let read = connect(options, path, READER_CACHE)?;
        read.pragma_update(None, "query_only", true)?;
        Ok(read)
    };
    let readers = [read().map_err(sqlite)?, read().map_err(sqlite)?];
    Ok((write, readers, present))
}

fn connect(options: &Options, path: &Path, cache: i64) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.set_prepared_statement_cache_capacity(128);
    // Plans never depend on what is bound; without this a statement is prepared anew for each other value.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.busy_timeout(std::time::Duration::from_secs(2))?;
    limit(options, &db)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    db.pragma_update(None, "cache_size", -cache)?;
    Ok(db)
}

fn limit(options: &Options, db: &Connection) -> rusqlite::Result<()> {
    let Some(bytes) = options.max_bytes else { return Ok(()) };
    db.query_row(&format!("PRAGMA max_page_count = {}", (bytes / PAGE).max(1)), [], |_| Ok(()))
}

/// Makes an empty store beside the path and moves it there whole: a kill in between leaves none, never half of one.
fn create(options: &Options, path: &Path) -> Result<(), OpenError> {
    let new = beside(path, "-new");
    // The rest of an earlier attempt, or of a store that was deleted without its log.
    for old in [new.clone(), beside(&new, "-journal"), beside(path, "-wal"), beside(path, "-shm")] {
        let _ = fs::remove_file(old);
    }
    fill(options, &new).map_err(|error| OpenError::sqlite(path.to_owned(), error))?;
    let io = |error| OpenError::io(path.to_owned(), error);
    fs::rename(&new, path).map_err(io)?;
    if let Some(directory) = path.parent().and_then(|parent| File::open(parent).ok()) {
        // Where directories cannot be synced, the name is as durable as the system makes it.
        let _ = directory.sync_all();
    }
    Ok(())
}

fn fill(options: &Options, new: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(new)?;
    limit(options, &db)?;
    let schema = include_str!("schema.sql");
    db.execute_batch(&format!(
        "BEGIN IMMEDIATE;\n{schema}\nPRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {SCHEMA};\nCOMMIT;"
    ))?;
    db.close().map_err(|(_, error)| error)
}

/// Derives what is kept in memory. Whatever was wished may have been told by the process before this one.
fn recall(db: &Connection) -> rusqlite::Result<Present> {
    db.execute_batch(include_str!("models.sql"))?;
    db.execute("INSERT INTO meta VALUES ('opened', 1) ON CONFLICT DO UPDATE SET value = value + 1", [])?;
    let meta = |name: &str| {
        let sql = "SELECT coalesce((SELECT value FROM meta WHERE name = ?1), 0)";
        db.query_row(sql, params![name], |row| row.get(0).map(uint))
    };
    let mut present = Present::new(meta("opened")?);
    present.revision = meta("revision")?;
    let lanes = u16::try_from(meta("lanes")?).unwrap_or(0);
    rows(db, "SELECT id, grp, lane, reserved FROM lane", |row| {
        let lane = GroupLane { group: name(row, 1)?, lane: row.get(2)? };
        present.know(row.get(0)?, lane, uint(row.get(3)?));
        Ok(())
    })?;
    Arc::make_mut(&mut present.book).lanes = lanes;
    let mut hears: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    rows(db, "SELECT grp, topic FROM hears", |row| {
        let topics = hears.entry(name(row, 0)?).or_default();
        topics.extend(Some(name(row, 1)?).filter(|topic| !topic.is_empty()));
        Ok(())
    })?;
    present.hears = Arc::new(hears);
    // What nobody let go of comes first.
    db.execute("UPDATE effect SET look = 0 WHERE look IS NULL", [])?;
    let sql = "SELECT lane, gateway, min(look) FROM effect WHERE look IS NOT NULL GROUP BY lane, gateway";
    rows(db, sql, |row| {
        present.known.expect((row.get(0)?, name(row, 1)?), Timestamp(row.get(2)?));
        Ok(())
    })?;
    owed::all_keys(db, |hearer, key| present.owe(hearer, key, 1))?;
    let count = |sql: &str| db.query_row(sql, [], |row| row.get(0).map(uint));
    present.counts.owed = count("SELECT count(*) FROM owed")?;
    present.counts.effects = count("SELECT count(*) FROM effect")?;
    present.counts.parked = count("SELECT count(*) FROM parked")?;
    present.counts.buried = count("SELECT count(*) FROM dead WHERE state = 0")?;
    Ok(present)
}

fn rows(
    db: &Connection,
    sql: &str,
    mut read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}
