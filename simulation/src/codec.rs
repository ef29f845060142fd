//! Packs as references into the world's memory, so that most runs do not pay for JSON; and the note of what each holds.

use crate::{
    mark::Mark,
    world::{World, locked},
};
use bytes::Bytes;
use oms_core::message::{Codec, CodecError, Json, Message, PackId};
use std::sync::Arc;

/// The codec of one world. A run in thirty sends JSON; the others send the number of the pack.
pub(crate) struct SimCodec(pub(crate) Arc<World>);

impl Codec for SimCodec {
    fn content_type(&self) -> &'static str {
        if self.0.plan.json { Json.content_type() } else { "application/x-simulated-reference" }
    }

    fn encode(&self, id: &PackId, messages: &[Message]) -> Result<Bytes, CodecError> {
        if self.0.book().encode(id, messages) {
            self.0.mark(Mark::SameIds);
        }
        if self.0.plan.json {
            return Json.encode(id, messages);
        }
        let mut table = locked(&self.0.table);
        table.push((id.clone(), messages.to_vec()));
        Ok(Bytes::copy_from_slice(&(table.len() as u64 - 1).to_be_bytes()))
    }

    fn decode(&self, bytes: &Bytes) -> Result<(PackId, Vec<Message>), CodecError> {
        if self.0.plan.json {
            return Json.decode(bytes);
        }
        let foreign = CodecError::Foreign { attribute: "reference" };
        let Ok(number) = <[u8; 8]>::try_from(&bytes[..]) else { return Err(foreign) };
        let place = usize::try_from(u64::from_be_bytes(number)).unwrap_or(usize::MAX);
        locked(&self.0.table).get(place).cloned().ok_or(foreign)
    }
}
