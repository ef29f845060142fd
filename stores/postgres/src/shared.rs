//! What the store and its open turns share: what is known, the locks of this process, and the ways to a read and a commit.

use crate::{
    commit::{self, committer},
    gather::Gather,
    known::Known,
    link::Link,
    lock::Locked,
    reads::{self, reader},
};
use oms_core::store::{StoreError, locks::Locks};
use std::sync::Arc;

pub(crate) struct Shared {
    pub(crate) known: Arc<Known>,
    pub(crate) locks: Locks<Locked>,
    pub(crate) reader: Gather<reads::Job>,
    pub(crate) committer: Gather<commit::Job>,
}

impl Shared {
    pub(crate) async fn start(link: Link) -> Result<Self, StoreError> {
        let known = Arc::new(Known::new(link));
        known.reload().await?;
        let (reader, committer) = (reader(&known), committer(&known));
        Ok(Self { known, locks: Locks::default(), reader, committer })
    }
}
