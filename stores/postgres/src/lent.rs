//! A connection that is lent: every wait on it has an end, and one that did not answer in time is not lent again. One of the user's own
//! pool goes back as it came.

use crate::rows::failed;
use deadpool_postgres::{ClientWrapper, Object, Transaction};
use oms_core::store::StoreError;
use std::{
    ops::Deref,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;
use tokio_postgres::{Client, Error, IsolationLevel};

/// A connection that nobody else uses until it is dropped.
pub(crate) struct Lent {
    object: Option<Object>,
    patience: Duration,
    silent: AtomicBool,
    /// What it is set back to, where it comes from a pool of the user's.
    theirs: Option<Setting>,
}

/// Settings of a connection by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    pub(crate) names: Vec<String>,
    pub(crate) values: Vec<String>,
}

/// Gives a connection settings, and tells those that it had.
const DRESS: &str = "SELECT name, current_setting(name), set_config(name, value, false)
    FROM unnest($1::text[], $2::text[]) AS wanted (name, value)";

/// The database did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer in time; see what keeps it, or raise timeout")]
pub(crate) struct Late;

/// A wait that has an end.
async fn wait<T>(
    patience: Duration,
    silent: &AtomicBool,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Late> {
    tokio::time::timeout(patience, answer).await.map_err(|_| {
        silent.store(true, Ordering::Relaxed);
        Late
    })
}

fn sorted<T>(answer: Result<Result<T, Error>, Late>) -> Result<T, StoreError> {
    answer.map_err(StoreError::unavailable)?.map_err(failed)
}

impl Lent {
    pub(crate) fn new(object: Object, patience: Duration) -> Self {
        Self { object: Some(object), patience, silent: AtomicBool::new(false), theirs: None }
    }

    /// One of the user's own, with our settings as long as it is lent.
    pub(crate) async fn dressed(
        object: Object,
        patience: Duration,
        ours: &Setting,
    ) -> Result<Self, StoreError> {
        let mut lent = Self::new(object, patience);
        let sql = lent.answer(lent.prepare_cached(DRESS)).await?;
        let rows = lent.answer(lent.query(&sql, &[&ours.names, &ours.values])).await?;
        let theirs = rows.iter().map(|row| (row.get(0), row.get(1))).unzip();
        lent.theirs = Some(Setting { names: theirs.0, values: theirs.1 });
        Ok(lent)
    }

    /// The client itself.
    pub(crate) fn whole(&mut self) -> Option<&mut Client> {
        self.object.as_mut().map(|object| &mut ***object)
    }

    /// Waits for an answer, as long as anybody may wait.
    pub(crate) async fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Late> {
        wait(self.patience, &self.silent, answer).await
    }

    /// The same, with what went wrong sorted.
    pub(crate) async fn answer<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        sorted(self.wait(answer).await)
    }

    /// Begins a transaction; dropped, it is rolled back.
    pub(crate) async fn begin(&mut self) -> Result<Open<'_>, StoreError> {
        self.transaction(false).await
    }

    /// Begins a transaction that sees one state of the database.
    pub(crate) async fn look(&mut self) -> Result<Open<'_>, StoreError> {
        self.transaction(true).await
    }

    async fn transaction(&mut self, looks: bool) -> Result<Open<'_>, StoreError> {
        let Self { object, patience, silent, .. } = self;
        let gone = || StoreError::unavailable("the connection is gone");
        let object = object.as_mut().ok_or_else(gone)?;
        let mut begin = object.build_transaction();
        if looks {
            begin = begin.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        }
        let inner = sorted(wait(*patience, silent, begin.start()).await)?;
        Ok(Open { inner, patience: *patience, silent })
    }
}

impl Deref for Lent {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        // There from the beginning until it is dropped.
        match &self.object {
            Some(object) => object,
            None => unreachable!("the connection was taken out while it is lent"),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        if self.silent.load(Ordering::Relaxed) {
            // Whoever had it next would wait behind what it owes an answer to.
            drop(Object::take(object));
            return;
        }
        let Some(theirs) = self.theirs.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(give_back(object, self.patience, theirs))),
            // Nobody can set it back.
            Err(_) => drop(Object::take(object)),
        }
    }
}

/// Sets a connection back to what it was, and lets it go; one that cannot be is closed.
async fn give_back(object: Object, patience: Duration, theirs: Setting) {
    let setting = async {
        let sql = object.prepare_cached(DRESS).await?;
        object.query(&sql, &[&theirs.names, &theirs.values]).await
    };
    if !matches!(tokio::time::timeout(patience, setting).await, Ok(Ok(_))) {
        drop(Object::take(object));
    }
}

/// A transaction on a lent connection.
pub(crate) struct Open<'a> {
    inner: Transaction<'a>,
    patience: Duration,
    silent: &'a AtomicBool,
}

impl<'a> Open<'a> {
    /// Waits for an answer, as long as anybody may wait.
    pub(crate) async fn answer<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        sorted(wait(self.patience, self.silent, answer).await)
    }

    /// Commits; the outcome is unknown where there is no answer.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let Self { inner, patience, silent } = self;
        sorted(wait(patience, silent, inner.commit()).await)
    }
}

impl<'a> Deref for Open<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Transaction<'a> {
        &self.inner
    }
}
