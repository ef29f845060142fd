//! A folder of its own for each test, the command in it, and the sample or a part of it.

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(crate) const HEADER: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/online-retail-sample.csv");

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The one object on standard output.
    pub(crate) fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err));
        assert!(value.is_object() && self.out.lines().count() == 1, "{}", self.out);
        value
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// A folder with files and databases.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    /// Orders of one line each, with the sample's columns; then `more` rows.
    pub(crate) fn orders(&self, name: &str, count: usize, more: &str) {
        let row = |number| format!("{number},A,thing,2,1/1/2011 8:00,1.25,c{number},United Kingdom\n");
        let rows: String = (1..=count).map(row).collect();
        self.write(name, format!("{HEADER}{rows}{more}"));
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oms"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn oms(&self, line: &str) -> Ended {
        self.command(line).output().expect("it runs").into()
    }

    /// Runs what must go well, and gives its object.
    pub(crate) fn done(&self, line: &str) -> Value {
        let ended = self.oms(line);
        assert_eq!(ended.code, Some(0), "{line}: {}{}", ended.out, ended.err);
        ended.json()
    }

    pub(crate) fn start(&self, line: &str) -> Child {
        self.command(line).spawn().expect("it starts")
    }

    /// Waits until so many orders exist in a database that another process writes.
    pub(crate) fn wait_for_orders(&self, db: &str, count: u64, child: &mut Child) {
        let until = Instant::now() + PATIENCE;
        while self.placed(db) < count {
            assert!(Instant::now() < until, "{count} orders never came");
            assert!(child.try_wait().expect("a child").is_none(), "it ended before {count} orders came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn placed(&self, db: &str) -> u64 {
        let Ok(db) = Connection::open_with_flags(self.path(db), OpenFlags::SQLITE_OPEN_READ_ONLY) else {
            return 0;
        };
        let sql = "SELECT count(DISTINCT stream) FROM event WHERE kind = 'order'";
        db.query_row(sql, [], |row| row.get::<_, u32>(0)).map_or(0, u64::from)
    }

    /// Every file of the folder and what is in it.
    pub(crate) fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries =
            fs::read_dir(self.0.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut all: Vec<_> =
            entries.map(|path| (path.clone(), fs::read(path).unwrap_or_default())).collect();
        all.sort();
        all
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// The sample's rows of customers who ever gave something back, with ids below `limit`; all rows when there is none.
pub(crate) fn sample(limit: Option<&str>) -> String {
    let text = fs::read_to_string(SAMPLE).expect("the sample is there");
    let Some(limit) = limit else { return text };
    let customer = |row: &str| row.rsplit(',').nth(1).unwrap_or_default().to_owned();
    let back = |row: &&str| row.starts_with('C') && customer(row).as_str() < limit;
    let customers: std::collections::BTreeSet<String> = text.lines().filter(back).map(customer).collect();
    let rows = text.lines().skip(1).filter(|row| customers.contains(&customer(row)));
    HEADER.to_owned() + &rows.map(|row| format!("{row}\n")).collect::<String>()
}

/// Sends a signal to a child.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success(), "the signal was not sent");
}

pub(crate) fn end(child: Child) -> Ended {
    child.wait_with_output().expect("it ends").into()
}
