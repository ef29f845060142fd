//! A connection that is lent: every wait on it has an end, and one that did not answer in time is not lent again.

use crate::rows::failed;
use deadpool_postgres::{ClientWrapper, Object, Transaction};
use oms_core::store::StoreError;
use std::{
    ops::Deref,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio_postgres::{Error, IsolationLevel};

/// A connection that nobody else uses until it is dropped.
pub(crate) struct Lent {
    object: Option<Object>,
    patience: Duration,
    silent: AtomicBool,
}

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
        Self { object: Some(object), patience, silent: AtomicBool::new(false) }
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
        let Self { object, patience, silent } = self;
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
        if let Some(object) = self.object.take()
            && self.silent.load(Ordering::Relaxed)
        {
            // Whoever had it next would wait behind what it owes an answer to.
            drop(Object::take(object));
        }
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
