//! Message ids that are minted without the group.

use bytes::Bytes;
use oms_core::{
    id::{Digest, MessageId},
    message::{Codec, CodecError, Message, PackId},
};
use std::sync::Arc;

/// More messages than one message ever causes.
const MOST: usize = 64;

/// Sends messages under ids of its own.
pub(super) struct IdsWithoutGroup(pub(super) Arc<dyn Codec>);

fn minted(group: &str, message: &Message) -> MessageId {
    let (id, cause) = (message.envelope.id, message.envelope.cause);
    let index = (0..MOST).find(|index| MessageId::caused(group, cause, *index) == id);
    let mint = |index: usize| Digest::new("message").number(cause.0).number(index as u128).finish();
    index.map_or(id, |index| MessageId(mint(index)))
}

impl Codec for IdsWithoutGroup {
    fn content_type(&self) -> &'static str {
        self.0.content_type()
    }

    fn encode(&self, id: &PackId, messages: &[Message]) -> Result<Bytes, CodecError> {
        let mut messages = messages.to_vec();
        for message in &mut messages {
            message.envelope.id = minted(&id.sender.group, message);
        }
        self.0.encode(id, &messages)
    }

    fn decode(&self, bytes: &Bytes) -> Result<(PackId, Vec<Message>), CodecError> {
        self.0.decode(bytes)
    }
}
