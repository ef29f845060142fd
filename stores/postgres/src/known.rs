//! What this process knows of the database: the connections to it, its lanes and hearers, the wishes in hand, the newest rows.

use crate::{
    book::Book,
    hand::Hand,
    heads::Heads,
    lent::Open,
    link::Link,
    pipe::{Steps, execute, params, query},
    rows::Columns,
};
use oms_core::{id::Name, message::GroupLane, store::StoreError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_postgres::Row;

/// What turns and the tasks that commit share.
pub(crate) struct Known {
    pub(crate) link: Link,
    book: Mutex<Arc<Book>>,
    hand: Mutex<Hand>,
    heads: Mutex<Heads>,
    rows: AtomicU64,
    commits: AtomicU64,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            book: Mutex::default(),
            hand: Mutex::default(),
            heads: Mutex::default(),
            rows: AtomicU64::new(0),
            commits: AtomicU64::new(0),
        }
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        Arc::clone(&open(&self.book))
    }

    pub(crate) fn hand(&self) -> MutexGuard<'_, Hand> {
        open(&self.hand)
    }

    pub(crate) fn heads(&self) -> MutexGuard<'_, Heads> {
        open(&self.heads)
    }

    pub(crate) fn count(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.commits.fetch_add(u64::from(rows > 0), Ordering::Relaxed);
    }

    /// Rows and commits since the store was opened.
    pub(crate) fn written(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.commits.load(Ordering::Relaxed))
    }

    /// Reads again which lanes there are, and who hears what.
    pub(crate) async fn reload(&self) -> Result<Arc<Book>, StoreError> {
        let mut steps = Steps::default();
        let [meta, lanes, hears] = BOOK.map(|sql| steps.push(sql, params![]));
        let answers = steps.snapshot(&self.link.client().await?).await?;
        self.keep(answers.of(meta), answers.of(lanes), answers.of(hears))
    }

    /// The same within a transaction, by whoever has a connection already and must not wait for another.
    pub(crate) async fn reload_in(&self, transaction: &Open<'_>) -> Result<Arc<Book>, StoreError> {
        let [meta, lanes, hears] = BOOK;
        let meta = query(transaction, meta, params![]).await?;
        let lanes = query(transaction, lanes, params![]).await?;
        self.keep(&meta, &lanes, &query(transaction, hears, params![]).await?)
    }

    fn keep(&self, meta: &[Row], lanes: &[Row], hears: &[Row]) -> Result<Arc<Book>, StoreError> {
        let mut book = Book::default();
        if let Some(row) = meta.first() {
            let mut row = Columns::of(row);
            book.lanes = row.small()?;
            book.revision = row.get()?;
        }
        for row in lanes {
            let mut row = Columns::of(row);
            let id = row.get()?;
            book.know(id, GroupLane { group: row.name()?, lane: row.small()? });
        }
        let mut all: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
        for row in hears {
            let mut row = Columns::of(row);
            let topics = all.entry(row.name()?).or_default();
            topics.extend(Some(row.name()?).filter(|topic| !topic.is_empty()));
        }
        book.hears = Arc::new(all);
        let book = Arc::new(book);
        *open(&self.book) = Arc::clone(&book);
        Ok(book)
    }

    /// The book, with all these lanes in it.
    pub(crate) async fn book_with(
        &self,
        mut lanes: impl Iterator<Item = i32>,
    ) -> Result<Arc<Book>, StoreError> {
        let book = self.book();
        if lanes.all(|lane| book.has(lane)) { Ok(book) } else { self.reload().await }
    }

    /// The numbers of lanes that are there; another process may have made those that this one does not know.
    pub(crate) async fn find(&self, lanes: &[GroupLane]) -> Result<Vec<Option<i32>>, StoreError> {
        let known = |book: &Book| lanes.iter().map(|lane| book.ids.get(lane).copied()).collect::<Vec<_>>();
        let ids = known(&self.book());
        if ids.iter().all(Option::is_some) { Ok(ids) } else { Ok(known(&*self.reload().await?)) }
    }

    /// The numbers of lanes; made when they are first named.
    pub(crate) async fn lane_ids(&self, lanes: &[GroupLane]) -> Result<Vec<i32>, StoreError> {
        let known = |book: &Book| lanes.iter().map(|lane| book.ids.get(lane).copied()).collect();
        let ids: Option<Vec<i32>> = known(&self.book());
        if let Some(ids) = ids {
            return Ok(ids);
        }
        let groups: Vec<String> = lanes.iter().map(|lane| lane.group.to_string()).collect();
        let numbers: Vec<i32> = lanes.iter().map(|lane| i32::from(lane.lane)).collect();
        execute(&self.link.client().await?, MAKE_LANES, params![groups, numbers]).await?;
        known(&*self.reload().await?).ok_or(StoreError::Misused("a lane was not made"))
    }
}

/// What a book is made of.
const BOOK: [&str; 3] =
    ["SELECT lanes, revision FROM meta", "SELECT id, grp, lane FROM lane", "SELECT grp, topic FROM hears"];

/// A lane that nobody has leased has a lease of epoch 0, so that there is a row to hold.
pub(crate) const MAKE_LANES: &str =
    "WITH made AS (INSERT INTO lane (grp, lane) SELECT * FROM unnest($1::text[], $2::integer[])
        ON CONFLICT DO NOTHING RETURNING id)
    INSERT INTO lease (lane, epoch, until) SELECT id, 0, 0 FROM made";
