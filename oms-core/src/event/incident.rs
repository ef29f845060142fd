//! What core records of messages that were given up, and of those that were tried again on request.

use crate::id::{MessageId, Name, StreamId};
use serde::{Deserialize, Serialize};

/// The kind of the streams that incidents are recorded in; it belongs to core, not to a service.
pub const INCIDENT: &str = "incident";

/// Names the stream that holds the incidents of `key` in `group`: under the lane's lock, like all that is keyed.
///
/// Its id reads `GROUP:KEY`, so that the incidents of one group stand together.
///
/// ```
/// use oms_core::event::incident;
/// assert_eq!(incident::stream("payment", "o-1").to_string(), "incident/payment:o-1");
/// ```
#[must_use]
pub fn stream(group: &str, key: &str) -> StreamId {
    StreamId::keyed(INCIDENT, &format!("{group}:{key}"))
}

/// A message was given up: its attempts are spent, or it can never be handled. Its bytes lie among the dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBuried {
    /// The group that could not handle it.
    pub group: Name,
    /// The wire name of the message; empty when it could not even be decoded.
    pub kind: Name,
    /// The message.
    pub message: MessageId,
    /// The last error, in words.
    pub error: String,
    /// How often it was tried, over all redrives.
    pub attempts: u32,
}

/// A dead letter was handled after all, because a person asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRedriven {
    /// The group that handled it.
    pub group: Name,
    /// The wire name of the message.
    pub kind: Name,
    /// The message.
    pub message: MessageId,
    /// How often it had been tried before.
    pub attempts: u32,
}

/// Somebody asked for a dead letter to be handled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedriveRequested {
    /// The group that failed, and will handle it.
    pub group: Name,
    /// The wire name of the message.
    pub kind: Name,
    /// The message.
    pub message: MessageId,
    /// The dead letter's number.
    pub letter: u64,
    /// Who asked.
    pub by: String,
}

/// An edited copy of a dead letter was sent in its place, to the group that failed alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReplaced {
    /// The group that failed, and will handle the copy.
    pub group: Name,
    /// The wire name of the original.
    pub kind: Name,
    /// The original.
    pub message: MessageId,
    /// The original's number among the dead letters.
    pub letter: u64,
    /// The copy.
    pub copy: MessageId,
    /// Which copy of this letter it is, from 1.
    pub edit: u32,
    /// The wire name of the copy.
    pub copy_kind: Name,
    /// The body of the copy: its text, or hexadecimal digits where it is none.
    pub body: String,
    /// Whether `body` is in hexadecimal digits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hex: bool,
    /// Who edited it.
    pub by: String,
}

crate::wire_enum! {
    /// What happened to a message outside the ordinary: the story of an order tells it too (rule 24).
    pub enum IncidentEvent, schema 1 {
        /// It was given up.
        MessageBuried(MessageBuried) = "MessageBuried",
        /// It was handled again on request.
        MessageRedriven(MessageRedriven) = "MessageRedriven",
        /// Somebody asked for it to be handled again.
        RedriveRequested(RedriveRequested) = "RedriveRequested",
        /// A copy stands for it.
        MessageReplaced(MessageReplaced) = "MessageReplaced",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Wire;

    #[test]
    fn a_stored_sample_of_version_one_is_read_for_ever() {
        let sample = br#"{"group":"payment","kind":"RequestPayment","message":"00000000000000000000000000000007","error":"no","attempts":3}"#;
        let read = IncidentEvent::decode("MessageBuried", 1, sample).expect("decodes");
        let buried = MessageBuried {
            group: Name::from("payment"),
            kind: Name::from("RequestPayment"),
            message: MessageId(7),
            error: "no".to_owned(),
            attempts: 3,
        };
        assert_eq!(read, IncidentEvent::MessageBuried(buried));
        assert_eq!(read.encode().expect("encodes").as_ref(), sample);
    }
}
