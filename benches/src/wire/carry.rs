//! Who brings packs over a broker, and how many at a time.

use super::road::Road;
use crate::fault::Fault;
use async_trait::async_trait;
use std::ops::Range;

/// How many batches are on their way at once.
pub const WRITERS: usize = 2;
/// How many packs a batch has; the window of all writers is [`WRITERS`] times as much.
pub const BATCH: usize = 500;
/// How many packs a reader may hold unsettled.
pub const UNSETTLED: usize = 1_000;

/// Somebody who brings packs over a broker: we, or a bare client that does the same work.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Publishes the packs of these numbers in their order, and waits until all are confirmed. Each writer calls it for itself.
    async fn batch(&self, road: &Road, writer: usize, numbers: Range<usize>) -> Result<(), Fault>;

    /// Begins to read a road; the readers together read all of its lanes.
    async fn readers(&self, road: &Road) -> Result<Vec<Box<dyn Reader>>, Fault>;
}

/// Reads lanes of a road.
#[async_trait]
pub trait Reader: Send {
    /// Waits for packs, and acks them; how many. May be dropped while it waits.
    async fn read(&mut self) -> Result<usize, Fault>;

    /// Has the broker know all acks.
    async fn finish(self: Box<Self>) -> Result<(), Fault>;
}
