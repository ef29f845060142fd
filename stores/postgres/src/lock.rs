//! What turns of this process wait for; those of other processes meet when they commit.

use oms_core::{id::StreamId, store::locks::Held};

/// A lane, or a shared stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Locked {
    Lane(i32),
    Stream(StreamId),
}

pub(crate) type Guard = Held<Locked>;
