//! Requests from outside: a cancel, a webhook, a change of stock; each a turn of the service that it is for.

use super::{
    batch::Batch,
    memory::Memory,
    metrics::add,
    parts::Parts,
    turn::{TurnError, turn},
};
use crate::{
    message::{GroupLane, Message},
    service::Handler,
    store::{Right, StoreError},
};
use bytes::Bytes;
use std::sync::Arc;

/// How often a request is tried while the store does not answer; a conflict does not count.
const TRIES: u32 = 5;

/// Why a request was not handled.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No service here has the group's name.
    #[error("no service named {0} runs here; add its handler, or ask the process that runs it")]
    NoSuchGroup(String),
    /// The store did not answer; the request may have been handled, and may be repeated.
    #[error("the store cannot be reached: {0}; try again")]
    Store(#[source] StoreError),
    /// The service cannot take the request.
    #[error("the request cannot be taken: {0}")]
    Refused(String),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The service answered, in its own JSON.
    Answered(Bytes),
    /// Handled, without an answer; or put aside behind earlier messages of its key, and handled after them.
    Accepted,
}

/// Handles `message` as a turn of `group`, whoever holds the lane: guarded by the state of the streams.
///
/// Dropped half-way, it was handled or not; repeating it does no harm: its id is minted from its content and the
/// version that it meets, and the stream's state guards against what was done before.
///
/// # Errors
/// [`RequestError`], each saying what to do.
pub async fn request(parts: &Parts, group: &str, message: Message) -> Result<Reply, RequestError> {
    let named = parts.handlers.iter().find(|handler| &*handler.group() == group);
    let handler: &Arc<dyn Handler> = named.ok_or_else(|| RequestError::NoSuchGroup(group.to_owned()))?;
    let lane = GroupLane { group: handler.group(), lane: message.envelope.key.lane(parts.options.lanes) };
    let right = Right::Unfenced(lane);
    let seed = message.envelope.id.0;
    let batch = Batch { requests: vec![message], limit: parts.options.batch, ..Batch::default() };
    let (mut failures, mut conflicts) = (0, 0);
    let mut memory = Memory::default();
    loop {
        match turn(parts, handler.as_ref(), &handler.group(), &right, &batch, &mut memory).await {
            // It asked for more streams, and is handled with them now.
            Ok(done) if done.more => continue,
            Ok(done) => return Ok(done.reply.map_or(Reply::Accepted, Reply::Answered)),
            Err(TurnError::Store(StoreError::Conflict)) => {
                add(&parts.tally.conflicts, 1);
                conflicts += 1;
            }
            Err(TurnError::Store(StoreError::Refused(source))) => {
                return Err(RequestError::Refused(source.to_string()));
            }
            Err(TurnError::Refused { error, .. }) => return Err(RequestError::Refused(error)),
            Err(TurnError::Seal(error)) => return Err(RequestError::Refused(error.to_string())),
            Err(TurnError::Store(error)) => {
                failures += 1;
                if failures == TRIES {
                    return Err(RequestError::Store(error));
                }
            }
        }
        parts.nap(parts.options.outage.wait(seed, failures + conflicts)).await;
    }
}
