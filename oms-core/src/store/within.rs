//! Turns that become part of something bigger: a transaction of the user's own.

use super::{Ask, Right, StoreError, Turn};
use async_trait::async_trait;

/// A transaction of the user's own, in the database in which a store keeps everything.
///
/// What its turns commit is seen by nobody before the user's own commit, and never was when there is none. A lane whose turn
/// has begun here stays locked until then: nobody else sends from it, and others go on.
#[async_trait]
pub trait Within: Send {
    /// As [`super::Store::turn`], inside. It opens keyed streams and sends; whatever else a turn may do is
    /// [`StoreError::Misused`]. Dropped half-way, or failed, it leaves the transaction as it was before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing can be said of the transaction then but that it must be rolled back.
    async fn turn<'a>(&'a mut self, right: &Right, ask: Ask) -> Result<Box<dyn Turn + 'a>, StoreError>;
}
