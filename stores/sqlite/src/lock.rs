//! What a turn holds.

use oms_core::{id::StreamId, store::locks::Held};

/// A lane's row, or a shared stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Locked {
    Lane(i64),
    Stream(StreamId),
}

pub(crate) type Guard = Held<Locked>;
