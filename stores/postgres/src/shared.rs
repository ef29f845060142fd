//! What the store and its open turns share: what is known, the locks of this process, and the way to a commit.

use crate::{commit::Committer, known::Known, link::Link, lock::Locked};
use oms_core::store::{StoreError, locks::Locks};
use std::sync::Arc;

pub(crate) struct Shared {
    pub(crate) known: Arc<Known>,
    pub(crate) locks: Locks<Locked>,
    pub(crate) committer: Committer,
}

impl Shared {
    pub(crate) async fn start(link: Link) -> Result<Self, StoreError> {
        let known = Arc::new(Known::new(link));
        known.reload().await?;
        let committer = Committer::start(&known);
        Ok(Self { known, locks: Locks::default(), committer })
    }
}
