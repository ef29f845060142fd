//! What services share that wish something of the outside world: wishes in JSON, and answers read again.

use super::{EFFECT_ANSWERED, EffectAnswered, Fault};
use crate::{
    gateway::{Effect, EffectKey},
    id::{Name, read_json, write_json},
    message::Message,
    store::StreamId,
};
use serde::{Serialize, de::DeserializeOwned};

/// Wishes `request` of `gateway` for `stream`; the cause is `message`.
pub(super) fn wish<R: Serialize>(
    key: EffectKey,
    stream: &StreamId,
    gateway: &str,
    request: &R,
    message: &Message,
) -> Result<Effect, Fault> {
    let request = write_json(request).map_err(|error| Fault::Permanent(error.to_string()))?;
    Ok(Effect {
        key,
        stream: stream.clone(),
        gateway: Name::from(gateway),
        request,
        cause: message.envelope.id,
    })
}

/// Reads a gateway's answer; `None` when the message is something else.
pub(super) fn answered<R: DeserializeOwned>(message: &Message) -> Result<Option<(EffectAnswered, R)>, Fault> {
    if &*message.envelope.kind != EFFECT_ANSWERED {
        return Ok(None);
    }
    let unreadable =
        |error: serde_json::Error| Fault::Permanent(format!("the gateway's answer cannot be read: {error}"));
    let answered: EffectAnswered = read_json(&message.body).map_err(unreadable)?;
    let report = serde_json::from_str(answered.answer.get()).map_err(unreadable)?;
    Ok(Some((answered, report)))
}
