//! Why a message is not handled, by what becomes of it.

use crate::event::WireError;

/// Why a message is not handled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It may succeed later: parked, tried again with back-off, counted, buried when attempts are spent (rule 16).
    #[error("this message failed, and may succeed later: {0}")]
    Failed(String),
    /// It never will: buried at once.
    #[error("this message can never be handled: {0}")]
    Permanent(String),
    /// A newer binary wrote it or its stream: parked without counting attempts (rule 13).
    #[error("written by a newer binary than this one: {0}")]
    Newer(String),
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Newer { .. } => Fault::Newer(error.to_string()),
            WireError::Unknown { .. } => Fault::Permanent(error.to_string()),
            WireError::Body { kind, source } => {
                Fault::Permanent(format!("the body of {kind} cannot be read: {source}"))
            }
        }
    }
}
