//! The ledger of the simulated outside world: a file of its own beside the database, so that a double charge shows.

use oms_core::gateway::journal::{Journal, JournalError, LedgerEntry};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {} cannot be used; check its permissions and the disk", path.display())]
pub struct LedgerError {
    path: PathBuf,
    source: io::Error,
}

/// An append-only file of JSON objects, one on each line.
///
/// An entry is written with one write before anybody is answered, so that the death of the process never loses what was
/// answered. Half an entry at the end was never answered, and is cut off when the file is opened.
///
/// ```
/// use oms_core::gateway::journal::Journal as _;
/// use oms_server::ledger::Ledger;
/// # let folder = std::env::temp_dir().join(format!("oms-ledger-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let ledger = Ledger::open(&folder.join("orders.db.ledger"))?;
/// assert!(ledger.load()?.is_empty());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Mutex<File>,
}

impl Ledger {
    /// Where the ledger of a database lies.
    #[must_use]
    pub fn place(db: &Path) -> PathBuf {
        let mut name = db.as_os_str().to_owned();
        name.push(".ledger");
        PathBuf::from(name)
    }

    /// Opens the file, or makes an empty one.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let refuse = |source| LedgerError { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(refuse)?;
        let whole = whole_entries(&mut file).map_err(refuse)?;
        file.set_len(whole).map_err(refuse)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    fn write(&self, entries: &[LedgerEntry]) -> io::Result<()> {
        let mut lines = String::new();
        for entry in entries {
            lines.push_str(&serde_json::to_string(entry)?);
            lines.push('\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines.as_bytes())?;
        file.flush()
    }

    fn read(&self) -> io::Result<Vec<LedgerEntry>> {
        let file = BufReader::new(File::open(&self.path)?);
        file.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError { path: self.path.clone(), source }
    }
}

impl Journal for Ledger {
    fn append(&self, lines: &[LedgerEntry]) -> Result<(), JournalError> {
        self.write(lines).map_err(|source| JournalError(Box::new(self.failed(source))))
    }

    fn load(&self) -> Result<Vec<LedgerEntry>, JournalError> {
        self.read().map_err(|source| JournalError(Box::new(self.failed(source))))
    }
}

/// Counts the bytes up to the last line end.
fn whole_entries(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0; 4_096];
    while end > 0 {
        let size = end.min(block.len() as u64);
        file.seek(SeekFrom::Start(end - size))?;
        let block = &mut block[..usize::try_from(size).unwrap_or(0)];
        file.read_exact(block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(end - size + at as u64 + 1);
        }
        end -= size;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_core::{
        clock::Timestamp,
        gateway::{EffectKey, journal::Fact},
    };

    fn entry(fact: Fact) -> LedgerEntry {
        LedgerEntry { key: EffectKey::new("o", "charge", 1), fact, amount: None, at: Timestamp(7) }
    }

    #[test]
    fn half_an_entry_at_the_end_is_cut_off_and_the_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("l");
        let long = format!("{{\"half\":\"{}", "x".repeat(10_000));
        let [one, two] = [Fact::Told, Fact::Captured].map(entry);
        Ledger::open(&path).expect("it opens").append(std::slice::from_ref(&one)).expect("it is written");
        let torn = std::fs::read_to_string(&path).expect("it is there") + &long;
        std::fs::write(&path, torn).expect("it can be written");
        let ledger = Ledger::open(&path).expect("it opens again");
        ledger.append(std::slice::from_ref(&two)).expect("it is written");
        assert_eq!(ledger.load().expect("it is read"), [one, two]);
    }

    #[test]
    fn a_ledger_lies_beside_its_database_by_its_whole_name() {
        assert_eq!(Ledger::place(Path::new("a/orders.db")), Path::new("a/orders.db.ledger"));
    }
}
