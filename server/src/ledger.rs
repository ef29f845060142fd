//! The ledger of the simulated outside world: a file of its own beside the database, so that a double charge shows.

use oms_core::gateway::journal::{Held, Hold, Journal, JournalError, LedgerEntry};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
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
    others: Option<Others>,
}

/// What keeps the processes that share a ledger apart: one looks and writes at a time.
#[derive(Debug)]
struct Others {
    /// Within this process, for the lock belongs to the file and not to whoever took it.
    turn: Mutex<()>,
    lock: File,
}

/// The right to look and write, until it is dropped.
struct Turn<'a> {
    lock: &'a File,
    _turn: MutexGuard<'a, ()>,
}

impl Held for Turn<'_> {}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // What cannot be unlocked is when the process ends.
        let _ = self.lock.unlock();
    }
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
        cut(&mut file).map_err(refuse)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), others: None })
    }

    /// Opens a file that other processes may have open as well: what one writes down, the others see with their next look,
    /// and no two look and write at once.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn share(path: &Path) -> Result<Self, LedgerError> {
        let refuse = |source| LedgerError { path: path.to_owned(), source };
        let mut name = path.as_os_str().to_owned();
        name.push("-lock");
        let lock = OpenOptions::new().append(true).create(true).open(name).map_err(refuse)?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(refuse)?;
        let others = Some(Others { turn: Mutex::default(), lock });
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), others })
    }

    fn look<'a>(&'a self, others: &'a Others, seen: u64) -> io::Result<Hold<'a>> {
        let turn = others.turn.lock().unwrap_or_else(PoisonError::into_inner);
        others.lock.lock()?;
        let turn = Turn { lock: &others.lock, _turn: turn };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever left half an entry is dead: only who has the turn writes.
        let end = cut(&mut file)?;
        // One more than the bytes that were read, so that it is never 0.
        file.seek(SeekFrom::Start(seen.saturating_sub(1)))?;
        let read = BufReader::new(&*file).lines();
        let news = read.map(|line| Ok(serde_json::from_str(&line?)?)).collect::<io::Result<Vec<_>>>()?;
        Ok(Hold { news, seen: end + 1, guard: Some(Box::new(turn)) })
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

    fn hold(&self, seen: u64) -> Result<Hold<'_>, JournalError> {
        match &self.others {
            Some(others) => {
                self.look(others, seen).map_err(|source| JournalError(Box::new(self.failed(source))))
            }
            None if seen > 0 => Ok(Hold { seen, ..Hold::default() }),
            None => Ok(Hold { news: self.load()?, seen: 1, guard: None }),
        }
    }
}

/// Cuts off half an entry at the end; gives the bytes that stay.
fn cut(file: &mut File) -> io::Result<u64> {
    let whole = whole_entries(file)?;
    if whole < file.metadata()?.len() {
        file.set_len(whole)?;
    }
    Ok(whole)
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
    use oms_broker::{CustomerId, SystemClock};
    use oms_core::{
        clock::Timestamp,
        gateway::{
            EffectKey, Port as _,
            journal::{self, Fact},
            payment::{PaymentRequest, PaymentStep},
            simulated::{Draws, SimulatedProvider, Windows},
        },
        money::{Currency, Money},
    };
    use std::sync::Arc;

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
    fn two_who_share_a_ledger_see_each_other_and_write_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("l");
        let [one, other] = [(); 2].map(|()| Ledger::share(&path).expect("it opens"));
        let first = one.hold(0).expect("it is looked at");
        assert_eq!((first.news.len(), first.seen), (0, 1));
        one.append(&[entry(Fact::Told)]).expect("it is written");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| other.hold(0).map(|hold| hold.news));
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!waiting.is_finished(), "it waits for the one who writes");
            one.append(&[entry(Fact::Captured)]).expect("it is written");
            drop(first);
            let news = waiting.join().expect("no panic").expect("it is looked at");
            assert_eq!(news, [Fact::Told, Fact::Captured].map(entry));
        });
        let seen = other.hold(0).expect("it is looked at").seen;
        one.append(&[entry(Fact::Voided)]).expect("it is written");
        std::fs::write(&path, std::fs::read_to_string(&path).expect("it is there") + "{\"half")
            .expect("torn");
        assert_eq!(other.hold(seen).expect("it is looked at").news, [entry(Fact::Voided)]);
    }

    #[tokio::test]
    async fn two_processes_of_one_world_charge_once_between_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("l");
        let provider = || {
            let ledger = Arc::new(Ledger::share(&path).expect("it opens"));
            let opened =
                SimulatedProvider::open(Draws::default(), Windows::default(), Arc::new(SystemClock), ledger);
            opened.expect("readable")
        };
        let (one, other) = (provider(), provider());
        let request = PaymentRequest {
            wish: PaymentStep::Charge,
            method: "upi".into(),
            customer: CustomerId::new("c").expect("an id"),
            amount: Money::new(5, Currency::new("GBP").expect("a currency")),
            token: None,
            window: std::time::Duration::ZERO,
        };
        let key = EffectKey::new("o", "charge", 1);
        for provider in [&one, &other, &one] {
            provider.tell(&key, &request).await.expect("an answer");
        }
        let sums = journal::Ledger::of(&lines(&path)).total();
        assert_eq!((sums.captures, sums.repeated), (1, 2));
    }

    fn lines(path: &Path) -> Vec<LedgerEntry> {
        Ledger::open(path).expect("it opens").load().expect("it is read")
    }

    #[test]
    fn a_ledger_lies_beside_its_database_by_its_whole_name() {
        assert_eq!(Ledger::place(Path::new("a/orders.db")), Path::new("a/orders.db.ledger"));
    }
}
