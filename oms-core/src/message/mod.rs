//! What travels: messages, their keys and lanes, and the packs that a broker carries.

mod codec;
mod lane;
mod pack;
mod plain;

pub use codec::{Codec, CodecError, Json};
pub use lane::{GroupLane, Key, MAX_LANES, key_hash, lane_of};
pub use pack::{Limit, Pack, PackId};

use crate::{
    clock::Timestamp,
    id::{MessageId, Name},
};
use bytes::Bytes;

/// The outside of a message: everything a worker, a broker or a person needs without reading the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Minted from the cause (rule 5); the same when the turn that sent it is repeated.
    pub id: MessageId,
    /// The message that caused this one; its own id for a request from outside.
    pub cause: MessageId,
    /// What all messages of one story share: the order's id.
    pub correlation: Name,
    /// Where it is sent: a name that groups hear.
    pub topic: Name,
    /// What keeps its place in a row: messages of one key are never reordered.
    pub key: Key,
    /// The wire name of what the body is, such as `OrderPlaced`.
    pub kind: Name,
    /// The version of the body's shape.
    pub schema: u16,
    /// When the turn that sent it read the store's clock.
    pub time: Timestamp,
    /// W3C `traceparent`, passed on untouched.
    pub trace: Option<Name>,
}

/// One message: an envelope and the bytes of its body (JSON unless the codec says otherwise).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The outside.
    pub envelope: Envelope,
    /// The inside, as the sender wrote it.
    pub body: Bytes,
}
