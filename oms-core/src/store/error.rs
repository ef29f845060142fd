//! Why a store does not do what it is asked, by what the caller does next.

use crate::message::GroupLane;
use std::{error::Error, sync::Arc};

type Source = Box<dyn Error + Send + Sync>;

/// Why a store does not do what it is asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else wrote first: a version, a consumed row or the revision of the hearers. Again from the read.
    #[error("someone else wrote first; start the turn again")]
    Conflict,
    /// The lane has changed hands.
    #[error("the lease of lane {0} is gone; claim it again")]
    LostLease(GroupLane),
    /// It may come back. When a commit says so its outcome is unknown; what is owed tells.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// These rows never fit (too large, for one): halve the batch.
    #[error("the store refuses these rows: {0}")]
    Refused(#[source] Arc<dyn Error + Send + Sync>),
    /// The store cannot be used by this binary at all: another schema, another lane count, not a store.
    #[error("{0}")]
    Unfit(String),
    /// The caller broke the contract; a bug in the worker.
    #[error("the store was misused: {0}")]
    Misused(&'static str),
}

impl StoreError {
    /// Wraps a passing failure.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(Arc::from(source.into()))
    }

    /// Wraps a refusal of rows.
    pub fn refused(source: impl Into<Source>) -> Self {
        Self::Refused(Arc::from(source.into()))
    }
}
