//! What the store and its open turns share: the writer, the reader, the locks, and what is kept in memory.

use crate::{
    guard::LockFile,
    hearers::make_lanes,
    lock::Locked,
    present::{After, Book, SharedPresent, present},
    reader::Reader,
    writer::Writer,
};
use oms_core::{
    clock::Clock,
    message::GroupLane,
    store::{StoreError, Streams, locks::Locks},
};
use rusqlite::Connection;
use std::sync::Arc;

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) locks: Locks<Locked>,
    pub(crate) present: SharedPresent,
    // Dropped in this order: the readers, then the writer with its queue, and last the claim on the file.
    pub(crate) reader: Reader,
    /// Answers people's questions, so that no turn waits behind them.
    pub(crate) desk: Reader,
    pub(crate) writer: Writer,
    _lock: LockFile,
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        writer: Writer,
        (reader, desk): (Reader, Reader),
        present: SharedPresent,
        lock: LockFile,
    ) -> Self {
        Self { clock, locks: Locks::default(), present, reader, desk, writer, _lock: lock }
    }

    /// Adds what only memory knows: the wishes that an undo may still withdraw.
    pub(crate) fn mark_unclaimed(&self, streams: &mut Streams) {
        let present = present(&self.present);
        streams.iter_mut().for_each(|(id, stream)| stream.unclaimed = present.known.untold(id));
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        Arc::clone(&present(&self.present).book)
    }

    /// The rows of lanes; made when they are first named.
    pub(crate) async fn lane_ids(&self, lanes: &[GroupLane]) -> Result<Vec<i64>, StoreError> {
        let known = |book: &Book| lanes.iter().map(|lane| book.ids.get(lane).copied()).collect();
        let ids: Option<Vec<i64>> = known(&self.book());
        if let Some(ids) = ids {
            return Ok(ids);
        }
        let wanted = lanes.to_vec();
        let make =
            move |db: &Connection| Ok(((), After { lanes: make_lanes(db, wanted)?, ..After::default() }));
        self.writer.write(true, Vec::new(), make).await?;
        known(&self.book()).ok_or(StoreError::Misused("a lane was not made"))
    }
}
