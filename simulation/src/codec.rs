//! Packs as references into the world's memory, so that most runs do not pay for JSON; and the note of what each holds.

use crate::{lock::locked, mark::Mark, world::World};
use bytes::Bytes;
use oms_core::message::{Codec, CodecError, Json, Message, PackId};
use std::sync::Arc;

/// The codec of one world. A run in thirty sends JSON; the others send the number of the pack.
pub(crate) struct SimCodec(pub(crate) Arc<World>);

/// Which pack these bytes are, if they are one of ours.
pub(crate) fn pack_of(world: &World, bytes: &Bytes) -> Option<PackId> {
    if world.plan.json {
        return Json.decode(bytes).ok().map(|(id, _)| id);
    }
    let number = <[u8; 8]>::try_from(&bytes[..]).ok()?;
    let place = usize::try_from(u64::from_be_bytes(number)).ok()?;
    locked(&world.table).get(place).map(|(id, _)| id.clone())
}

impl Codec for SimCodec {
    fn content_type(&self) -> &'static str {
        if self.0.plan.json { Json.content_type() } else { "application/x-simulated-reference" }
    }

    fn encode(&self, id: &PackId, messages: &[Message]) -> Result<Bytes, CodecError> {
        let bytes = if self.0.plan.json {
            Json.encode(id, messages)?
        } else {
            let mut table = locked(&self.0.table);
            table.push((id.clone(), messages.to_vec()));
            Bytes::copy_from_slice(&(table.len() as u64 - 1).to_be_bytes())
        };
        if self.0.book().encode(id, &bytes, messages) {
            self.0.mark(Mark::SameIds);
        }
        Ok(bytes)
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
